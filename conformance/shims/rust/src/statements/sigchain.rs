//! Sigchains: replaying them, and comparing heads.
use super::envelope::{self, Envelope, EVENT};
use crate::data::forms;
use crate::data::members::Members;
use crate::identity::identifier;
use crate::identity::primary::Primary;
use crate::problem::{ensure, Code, Result};
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};

const EVENT_LIMIT: usize = 65_536;
const CHAIN_LIMIT: usize = 4_194_304;
/// The last bytes of a chain, for what must be possible.
const RESERVE: usize = 262_144;
const MANIFEST_LIMIT: u64 = 1_048_576;

struct Claim {
    subject: String,
    seq: u64,
    revoked: bool,
}

/// The last event of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: u64,
    pub hash: String,
}

/// What a chain says, as far as it was replayed.
pub struct Chain {
    primary: Primary,
    size: usize,
    /// Hashes of the events by `seq`.
    pub hashes: Vec<String>,
    endpoints: Vec<Value>,
    claims: Vec<Claim>,
    ignored: Vec<u64>,
    pub shared_files: Option<Value>,
    pub rotated_to: Option<String>,
}

/// Replays the events of the chain of `primary`, and reports what they say.
pub fn verify(primary: &str, events: &[Value]) -> Result<Value> {
    Ok(replay(Primary::parse(primary)?, events)?.report())
}

/// Replays the events of the chain of `primary`.
pub fn replay(primary: Primary, events: &[Value]) -> Result<Chain> {
    let mut chain = Chain {
        primary,
        size: 0,
        hashes: Vec::new(),
        endpoints: Vec::new(),
        claims: Vec::new(),
        ignored: Vec::new(),
        shared_files: None,
        rotated_to: None,
    };
    for event in events {
        chain.append(event)?;
    }
    Ok(chain)
}

impl Chain {
    pub fn head(&self) -> Option<Head> {
        let hash = self.hashes.last()?.clone();
        let seq = self.hashes.len() as u64 - 1;
        Some(Head { seq, hash })
    }

    /// The account can be reached through a broker.
    pub fn has_inbox(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint["protocol"] == "nats")
    }

    fn append(&mut self, value: &Value) -> Result<()> {
        ensure(
            self.rotated_to.is_none(),
            Code::ChainTerminated,
            "an event after the rotation",
        )?;
        let event = Envelope::from_value(value.clone())?.expect(EVENT)?.verify()?;
        ensure(
            event.signer == self.primary,
            Code::EventMalformed,
            "an event of another key",
        )?;
        let size = event.size();
        ensure(
            size <= EVENT_LIMIT,
            Code::TooLarge,
            "an event of more than 65,536 bytes",
        )?;
        let members = event.members(Code::EventMalformed)?;
        let seq = members.integer("seq")?;
        ensure(
            members.has("prev") == (seq > 0),
            Code::EventMalformed,
            "prev is absent exactly at seq 0",
        )?;
        let prev = if members.has("prev") {
            Some(members.hash("prev", "sha256:")?)
        } else {
            None
        };
        members.time("created_at")?;
        let op = members.bounded("op", 64)?;
        let payload = members.object("payload")?;
        let effect = self.check(op, payload, members)?;
        let hash = event.hash();
        let last = self.hashes.last().map(String::as_str);
        ensure(
            seq == self.hashes.len() as u64 && prev == last,
            Code::ChainConflict,
            "it does not extend the event before",
        )?;
        self.size += size + 1;
        let reserved = op == "rotate" || op == "revoke" || op.starts_with("remove_");
        let limit = if reserved { CHAIN_LIMIT } else { CHAIN_LIMIT - RESERVE };
        ensure(
            self.size <= limit,
            Code::ChainFull,
            "the chain has reached its largest size",
        )?;
        self.apply(effect, seq);
        self.hashes.push(hash);
        Ok(())
    }

    fn check(&self, op: &str, payload: Members<'_>, event: Members<'_>) -> Result<Effect> {
        let subject = || payload.map().get("subject").and_then(Value::as_str).map(str::to_owned);
        Ok(match op {
            "add" => subject().map_or(Effect::Ignored, Effect::Claim),
            "revoke" => subject().map_or(Effect::Ignored, Effect::Revoke),
            "add_endpoint" => {
                check_endpoint(&self.primary, payload)?;
                Effect::Endpoint(Value::Object(payload.map().clone()))
            }
            "remove_endpoint" => Effect::RemoveEndpoint(endpoint_identity(payload)?),
            "set_shared_files" => Effect::SharedFiles(shared_files(payload)?),
            "rotate" => Effect::Rotate(self.rotation(payload, event)?),
            "add_device" => Effect::Kept,
            _ => Effect::Ignored,
        })
    }

    fn rotation(&self, payload: Members<'_>, event: Members<'_>) -> Result<String> {
        let new_primary = payload.text("new_primary")?;
        let new_sig = payload.text("new_sig")?;
        let key = Primary::parse(new_primary)?;
        ensure(key != self.primary, Code::EventMalformed, "a rotation to the same key")?;
        ensure(
            forms::is_hex(new_sig, 128),
            Code::EventMalformed,
            "new_sig is not 128 hexadecimal digits",
        )?;
        let mut acceptance = Map::new();
        acceptance.insert("type".into(), json!("kez.rotation_acceptance"));
        acceptance.insert("version".into(), json!(1));
        acceptance.insert("old".into(), json!(self.primary.to_string()));
        acceptance.insert("new".into(), json!(new_primary));
        for name in ["seq", "prev", "created_at"] {
            if let Some(value) = event.map().get(name) {
                acceptance.insert(name.into(), value.clone());
            }
        }
        envelope::verify(&key, &Value::Object(acceptance), &forms::from_hex(new_sig)?)?;
        Ok(new_primary.to_owned())
    }

    fn apply(&mut self, effect: Effect, seq: u64) {
        match effect {
            Effect::Claim(subject) => {
                let claim = Claim {
                    subject,
                    seq,
                    revoked: false,
                };
                match self
                    .claims
                    .iter_mut()
                    .find(|other| same(&other.subject, &claim.subject))
                {
                    Some(other) => *other = claim,
                    None => self.claims.push(claim),
                }
            }
            Effect::Revoke(subject) => match self.claims.iter_mut().find(|claim| same(&claim.subject, &subject)) {
                Some(claim) => claim.revoked = true,
                None => self.ignored.push(seq),
            },
            Effect::Kept => (),
            Effect::Endpoint(endpoint) => {
                let identity = identity_of(&endpoint);
                self.endpoints.retain(|other| identity_of(other) != identity);
                self.endpoints.push(endpoint);
            }
            Effect::RemoveEndpoint((protocol, name)) => {
                self.endpoints
                    .retain(|endpoint| identity_of(endpoint) != (protocol.as_str(), name.as_str()));
            }
            Effect::SharedFiles(anchor) => self.shared_files = Some(anchor),
            Effect::Rotate(new_primary) => self.rotated_to = Some(new_primary),
            Effect::Ignored => self.ignored.push(seq),
        }
    }

    fn report(&self) -> Value {
        let claim = |claim: &Claim| json!({ "subject": claim.subject, "seq": claim.seq, "revoked": claim.revoked });
        let claims: Vec<Value> = self.claims.iter().map(claim).collect();
        let mut report = json!({ "endpoints": self.endpoints, "claims": claims, "ignored": self.ignored });
        if let Some(head) = self.head() {
            report["head"] = json!(head);
        }
        if let Some(anchor) = &self.shared_files {
            report["shared_files"] = anchor.clone();
        }
        if let Some(primary) = &self.rotated_to {
            report["rotated_to"] = json!(primary);
        }
        report
    }
}

enum Effect {
    Ignored,
    Kept,
    Claim(String),
    Revoke(String),
    Endpoint(Value),
    RemoveEndpoint((String, String)),
    SharedFiles(Value),
    Rotate(String),
}

fn same(a: &str, b: &str) -> bool {
    let normal = |text: &str| identifier::normalize(text).unwrap_or_else(|_| text.to_owned());
    a == b || normal(a) == normal(b)
}

fn identity_of(endpoint: &Value) -> (&str, &str) {
    let text = |name: &str| endpoint[name].as_str().unwrap_or_default();
    match text("protocol") {
        "nats" => ("nats", text("url")),
        protocol => (protocol, text("node_id")),
    }
}

/// Checks an endpoint of the account `primary` (KEZ-SIG-112).
pub fn check_endpoint(primary: &Primary, payload: Members<'_>) -> Result<()> {
    let own = match primary {
        Primary::Ed25519(key) => forms::hex(key.bytes()),
        Primary::Nostr(_) => return Err(Code::EventMalformed.because("an endpoint of a key without digits")),
    };
    match payload.text("protocol")? {
        "nats" => {
            check_url(payload.text("url")?, &["nats", "tls"])?;
            check_optional_url(payload.optional_text("ws_url")?, &["ws", "wss"])?;
            let inbox = payload.text("inbox")? == format!("kez.inbox.{own}");
            ensure(inbox, Code::EventMalformed, "an inbox of another account")?;
        }
        "iroh" => {
            ensure(
                payload.text("node_id")? == own,
                Code::EventMalformed,
                "a node of another account",
            )?;
            check_optional_url(payload.optional_text("relay_url")?, &["http", "https"])?;
        }
        _ => return Err(Code::EventMalformed.because("an endpoint of another protocol")),
    }
    Ok(())
}

fn endpoint_identity(payload: Members<'_>) -> Result<(String, String)> {
    let protocol = payload.text("protocol")?;
    let name = match protocol {
        "nats" => payload.text("url")?,
        "iroh" => payload.text("node_id")?,
        _ => return Err(Code::EventMalformed.because("an endpoint of another protocol")),
    };
    Ok((protocol.to_owned(), name.to_owned()))
}

fn check_optional_url(url: Option<&str>, schemes: &[&str]) -> Result<()> {
    url.map_or(Ok(()), |url| check_url(url, schemes))
}

fn check_url(text: &str, schemes: &[&str]) -> Result<()> {
    ensure(
        forms::is_url(text, schemes),
        Code::EventMalformed,
        "not a URL of the schemes for this member",
    )
}

fn shared_files(payload: Members<'_>) -> Result<Value> {
    let manifest = payload.hash("manifest", "blake3:")?;
    let size = payload.integer("size")?;
    ensure(
        (1..=MANIFEST_LIMIT).contains(&size),
        Code::EventMalformed,
        "a size outside 1 to 1,048,576",
    )?;
    let mut anchor = json!({ "manifest": manifest, "size": size });
    if payload.has("revision") {
        anchor["revision"] = json!(payload.integer("revision")?);
    }
    Ok(anchor)
}

/// How a verified chain, given by the hashes of its events, stands to the head that was kept (KEZ-SIG-122, KEZ-SIG-123).
pub fn compare(known: Option<Members<'_>>, hashes: &[&str]) -> Result<&'static str> {
    let Some(known) = known else {
        return Ok("new");
    };
    if hashes.is_empty() {
        return Ok("unavailable");
    }
    let (seq, hash) = (known.integer("seq")?, known.text("hash")?);
    let at = usize::try_from(seq).ok().and_then(|seq| hashes.get(seq));
    let at = at.ok_or_else(|| Code::ChainRollback.because("the chain is shorter than the head that was kept"))?;
    ensure(
        *at == hash,
        Code::ChainFork,
        "another event at the place of the head that was kept",
    )?;
    Ok(if hashes.len() as u64 == seq + 1 {
        "same"
    } else {
        "extended"
    })
}
