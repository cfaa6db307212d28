//! One sigchain event, by itself: envelope, signature, members and operation (sigchain.md). What stands before it in its
//! chain is the store's business.
use crate::json::{jcs, parse};
use crate::keys::{self, is_hex};
use crate::otherwise::Otherwise;
use crate::problem::{ensure, problem, Result};
use serde_json::{json, Map, Value};
use sha2::{Digest, Sha256};

pub const LIMIT: usize = 65_536;
const MANIFEST_LIMIT: u64 = 1_048_576;
const URL_LIMIT: usize = 512;
const MALFORMED: &str = "event_malformed";
const MEMBERS: [&str; 8] = [
    "type",
    "version",
    "primary",
    "seq",
    "prev",
    "created_at",
    "op",
    "payload",
];

/// A valid event of a chain.
pub struct Event {
    /// The canonical envelope.
    pub text: String,
    pub hash: String,
    /// Absent only where the form of events is not checked.
    pub seq: Option<u64>,
    pub prev: Option<String>,
    pub op: String,
}

impl Event {
    pub fn ends_chain(&self) -> bool {
        self.op == "rotate"
    }

    /// Whether it may stand in the last bytes of a chain (KEZ-SIG-140).
    pub fn is_urgent(&self) -> bool {
        self.ends_chain() || self.op == "revoke" || self.op.starts_with("remove_")
    }
}

/// Reads and verifies an event of the chain of `hex`.
pub fn read(hex: &str, body: &[u8], otherwise: &Otherwise) -> Result<Event> {
    let value = if otherwise.is("strict-json") {
        serde_json::from_slice(body).map_err(|error| problem("json_malformed", error.to_string()))?
    } else {
        parse(body)?
    };
    let envelope = members(&value, "envelope_malformed")?;
    only(envelope, &["kez", "payload", "signature"])?;
    let kez = text(envelope, "kez", "envelope_malformed")?;
    let mut payload = object(envelope, "payload", "envelope_malformed")?.clone();
    let signature = object(envelope, "signature", "envelope_malformed")?;
    only(signature, &["alg", "key", "sig"])?;
    let alg = text(signature, "alg", "envelope_malformed")?;
    let key = text(signature, "key", "envelope_malformed")?;
    let sig = text(signature, "sig", "envelope_malformed")?;
    ensure(
        is_hex(sig, 128),
        "envelope_malformed",
        "sig is not 128 lower-case hexadecimal digits",
    )?;

    let kind = |condition, detail| ensure(condition, "envelope_kind", detail);
    kind(kez == "sigchain_event", "not a sigchain event")?;
    kind(
        payload.get("type") == Some(&json!("kez.sigchain.event")),
        "another type",
    )?;
    kind(
        payload.get("version") == Some(&json!(1)),
        "another version than the number 1",
    )?;
    kind(payload.get("primary") == Some(&json!(key)), "primary is not the signer")?;
    let signer = keys::parse(key)?;
    ensure(
        alg == signer.algorithm(),
        "algorithm_unsupported",
        "not the algorithm of the key",
    )?;

    if otherwise.is("payload-members") {
        payload.retain(|name, _| MEMBERS.contains(&name.as_str()));
    }
    let text = jcs(&value);
    ensure(
        text.len() <= LIMIT || otherwise.is("event-size"),
        "too_large",
        "an event of more than 65,536 bytes",
    )?;
    let signed = jcs(&Value::Object(payload.clone()));
    signer.verify(&signed, sig, otherwise.is("ed25519-message"))?;
    ensure(
        key == format!("ed25519:{hex}"),
        MALFORMED,
        "the event is of another chain",
    )?;

    let hashed = if otherwise.is("prev-input") { &signed } else { &text };
    let hash = format!("sha256:{}", hex::encode(Sha256::digest(hashed)));
    let event = Event {
        hash,
        seq: payload.get("seq").and_then(Value::as_u64),
        prev: payload.get("prev").and_then(Value::as_str).map(str::to_owned),
        op: payload.get("op").and_then(Value::as_str).unwrap_or_default().to_owned(),
        text,
    };
    if !otherwise.is("event-form") {
        check_place(&event, &payload)?;
    }
    check_form(&payload, otherwise)?;
    check_operation(&event.op, hex, &payload, otherwise)?;
    Ok(event)
}

fn check_place(event: &Event, payload: &Map<String, Value>) -> Result<()> {
    let Some(seq) = event.seq else {
        return Err(problem(MALFORMED, "seq is not a position"));
    };
    ensure(
        payload.contains_key("prev") == (seq > 0),
        MALFORMED,
        "prev is absent exactly at seq 0",
    )?;
    if seq > 0 {
        is_hash(payload, "prev", "sha256:")?;
    }
    object(payload, "payload", MALFORMED).map(|_| ())
}

fn check_form(payload: &Map<String, Value>, otherwise: &Otherwise) -> Result<()> {
    let time = text(payload, "created_at", MALFORMED)?;
    ensure(
        is_time(time) || otherwise.is("time-form"),
        "timestamp_malformed",
        "created_at is not of the form 2026-05-25T00:00:00Z",
    )?;
    let length = text(payload, "op", MALFORMED)?.chars().count();
    ensure((1..=64).contains(&length), MALFORMED, "op has 1 to 64 characters")
}

fn check_operation(op: &str, hex: &str, event: &Map<String, Value>, otherwise: &Otherwise) -> Result<()> {
    let empty = Map::new();
    let payload = event.get("payload").and_then(Value::as_object).unwrap_or(&empty);
    if otherwise.is("operations") {
        let known = ["add", "revoke", "rotate", "add_device"].contains(&op);
        ensure(known, MALFORMED, "an unknown operation")?;
        let has_subject = payload.contains_key("subject") || !["add", "revoke"].contains(&op);
        ensure(has_subject, MALFORMED, "no subject")?;
    }
    match op {
        "add_endpoint" => check_endpoint(hex, payload),
        "remove_endpoint" => match text(payload, "protocol", MALFORMED)? {
            "nats" => text(payload, "url", MALFORMED).map(|_| ()),
            "iroh" => text(payload, "node_id", MALFORMED).map(|_| ()),
            _ => Err(problem(MALFORMED, "an endpoint of another protocol")),
        },
        "set_shared_files" => {
            is_hash(payload, "manifest", "blake3:")?;
            let size = payload.get("size").and_then(Value::as_u64);
            let fits = size.is_some_and(|size| (1..=MANIFEST_LIMIT).contains(&size));
            ensure(fits, MALFORMED, "size is not 1 to 1,048,576")?;
            let revision = payload.get("revision");
            ensure(
                revision.is_none_or(Value::is_u64),
                MALFORMED,
                "revision is not a whole number",
            )
        }
        "rotate" if !otherwise.is("rotation") => check_rotation(hex, event, payload, otherwise),
        _ => Ok(()),
    }
}

fn check_endpoint(own: &str, payload: &Map<String, Value>) -> Result<()> {
    match text(payload, "protocol", MALFORMED)? {
        "nats" => {
            is_url(payload, "url", &["nats", "tls"])?;
            if payload.contains_key("ws_url") {
                is_url(payload, "ws_url", &["ws", "wss"])?;
            }
            let inbox = text(payload, "inbox", MALFORMED)?;
            ensure(
                inbox == format!("kez.inbox.{own}"),
                MALFORMED,
                "the inbox of another account",
            )
        }
        "iroh" => {
            if payload.contains_key("relay_url") {
                is_url(payload, "relay_url", &["http", "https"])?;
            }
            let node = text(payload, "node_id", MALFORMED)?;
            ensure(node == own, MALFORMED, "the node of another account")
        }
        _ => Err(problem(MALFORMED, "an endpoint of another protocol")),
    }
}

/// The successor's consent (KEZ-SIG-118).
fn check_rotation(
    hex: &str,
    event: &Map<String, Value>,
    payload: &Map<String, Value>,
    otherwise: &Otherwise,
) -> Result<()> {
    let new = text(payload, "new_primary", MALFORMED)?;
    let sig = text(payload, "new_sig", MALFORMED)?;
    let old = format!("ed25519:{hex}");
    let successor = keys::parse(new)?;
    ensure(new != old, MALFORMED, "a rotation to the same key")?;
    ensure(
        is_hex(sig, 128),
        MALFORMED,
        "new_sig is not 128 lower-case hexadecimal digits",
    )?;
    let mut acceptance = json!({ "type": "kez.rotation_acceptance", "version": 1, "old": old, "new": new });
    for name in ["seq", "prev", "created_at"] {
        if let Some(value) = event.get(name) {
            acceptance[name] = value.clone();
        }
    }
    successor.verify(&jcs(&acceptance), sig, otherwise.is("ed25519-message"))
}

fn members<'a>(value: &'a Value, code: &'static str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| problem(code, "not an object"))
}

fn object<'a>(of: &'a Map<String, Value>, name: &str, code: &'static str) -> Result<&'a Map<String, Value>> {
    let found = of.get(name).and_then(Value::as_object);
    found.ok_or_else(|| problem(code, format!("{name} is not an object")))
}

fn text<'a>(of: &'a Map<String, Value>, name: &str, code: &'static str) -> Result<&'a str> {
    let found = of.get(name).and_then(Value::as_str);
    found.ok_or_else(|| problem(code, format!("{name} is not a string")))
}

fn only(of: &Map<String, Value>, names: &[&str]) -> Result<()> {
    let known = of.keys().all(|name| names.contains(&name.as_str()));
    ensure(known, "envelope_malformed", "a member that an envelope does not have")
}

fn is_hash(of: &Map<String, Value>, name: &str, prefix: &str) -> Result<()> {
    let digits = text(of, name, MALFORMED)?.strip_prefix(prefix);
    let fits = digits.is_some_and(|digits| is_hex(digits, 64));
    ensure(
        fits,
        MALFORMED,
        &format!("{name} is not {prefix} and 64 hexadecimal digits"),
    )
}

fn is_url(of: &Map<String, Value>, name: &str, schemes: &[&str]) -> Result<()> {
    let url = text(of, name, MALFORMED)?;
    let fits = url.split_once("://").is_some_and(|(scheme, rest)| {
        schemes.contains(&scheme) && !rest.is_empty() && !url.contains(char::is_whitespace)
    });
    ensure(
        fits && url.chars().count() <= URL_LIMIT,
        MALFORMED,
        &format!("{name} is not a URL of its schemes"),
    )
}

/// Whether `text` is a time of the form `2026-05-25T00:00:00Z` (KEZ-CAN-003).
fn is_time(text: &str) -> bool {
    let form = b"0000-00-00T00:00:00Z";
    let bytes = text.as_bytes();
    let fits = |(byte, form): (&u8, &u8)| byte == form || (*form == b'0' && byte.is_ascii_digit());
    if bytes.len() != form.len() || !bytes.iter().zip(form).all(fits) {
        return false;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or_default();
    let (year, month) = (number(0, 4), number(5, 7));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month)
        && (1..=days).contains(&number(8, 10))
        && number(11, 13) < 24
        && number(14, 16) < 60
        && number(17, 19) < 60
}
