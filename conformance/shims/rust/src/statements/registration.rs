//! Registrations, records and descriptions of servers.
use super::envelope::{self, Envelope, REGISTRATION, TRANSFER};
use super::sigchain;
use crate::data::forms;
use crate::data::members::Members;
use crate::identity::handle::{self, Handle};
use crate::identity::primary::Primary;
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Map, Value};

const BODY_LIMIT: usize = 8_192;
const TRANSFER_LIMIT: usize = 16_384;
const WINDOW_MILLIS: i64 = 300_000;
/// Endpoints of a record, and URLs of a broker in a description.
const LIST_LIMIT: usize = 16;

/// What a registration says.
pub struct Registration {
    pub handle: Handle,
    pub primary: Primary,
    pub created_at: i64,
}

impl Registration {
    pub fn read(envelope: Value) -> Result<Self> {
        let envelope = Envelope::from_value(envelope)?.expect(REGISTRATION)?;
        let payload = envelope.members(Code::EnvelopeMalformed)?;
        let handle = Handle::new(payload.text("handle")?, payload.text("server")?)?;
        let primary = Primary::from(Primary::parse_account(payload.text("primary")?)?);
        let created_at = payload.time("created_at")?;
        envelope.verify()?;
        Ok(Self {
            handle,
            primary,
            created_at,
        })
    }
}

/// The envelope that a flat form stands for (KEZ-REG-008).
fn unflatten(body: Members<'_>, server: &str) -> Result<Value> {
    body.only(&["handle", "primary", "created_at", "registration_sig"])?;
    let primary = body.text("primary")?;
    Primary::parse_account(primary)?;
    Ok(json!({
        "kez": REGISTRATION.kez,
        "payload": {
            "type": "kez.chat.handle_registration",
            "version": 1,
            "handle": body.text("handle")?,
            "server": server,
            "primary": primary,
            "created_at": body.text("created_at")?,
        },
        "signature": { "alg": "ed25519-sha512-jcs", "key": primary, "sig": body.text("registration_sig")? },
    }))
}

/// The registration beside an invite (KEZ-REG-046).
fn without_invite(body: &Value) -> Result<&Value> {
    let members = Members::of(body, Code::EnvelopeMalformed)?;
    if !members.has("registration") {
        return Ok(body);
    }
    members.only(&["invite", "registration"])?;
    let invite = members.text("invite")?;
    let is_form = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    ensure(
        (1..=64).contains(&invite.len()) && invite.chars().all(is_form),
        Code::EnvelopeMalformed,
        "not an invite",
    )?;
    members.get("registration")
}

/// Checks the body of a registration as far as it does not depend on what the server holds.
pub fn check(body: &Value, server: &str, now_millis: i64) -> Result<Registration> {
    ensure(
        body.to_string().len() <= BODY_LIMIT,
        Code::TooLarge,
        "more than 8,192 bytes",
    )?;
    let body = without_invite(body)?;
    let members = Members::of(body, Code::EnvelopeMalformed)?;
    let envelope = if members.has("kez") {
        body.clone()
    } else {
        unflatten(members, server)?
    };
    let registration = Registration::read(envelope)?;
    ensure(
        registration.handle.server == server,
        Code::WrongServer,
        "made for another server",
    )?;
    let distance = (registration.created_at - now_millis).abs();
    ensure(
        distance <= WINDOW_MILLIS,
        Code::ClockSkew,
        "more than 300 seconds from the clock",
    )?;
    Ok(registration)
}

/// What a transfer says.
pub struct Transfer {
    pub handle: Handle,
    pub old: Primary,
    pub new: Primary,
    pub rotate: String,
}

/// Checks the body of a transfer as far as it does not depend on what the server holds (KEZ-REG-120 to KEZ-REG-122).
pub fn check_transfer(body: &Value, server: &str, now_millis: i64) -> Result<Transfer> {
    let malformed = Code::EnvelopeMalformed;
    ensure(
        body.to_string().len() <= TRANSFER_LIMIT,
        Code::TooLarge,
        "more than 16,384 bytes",
    )?;
    let members = Members::of(body, malformed)?;
    members.only(&["transfer", "registration"])?;
    let transfer = Envelope::from_value(members.get("transfer")?.clone())?.expect(TRANSFER)?;
    let payload = transfer.members(malformed)?;
    let handle = Handle::new(payload.text("handle")?, payload.text("server")?)?;
    let old = Primary::from(Primary::parse_account(payload.text("primary")?)?);
    let new = Primary::from(Primary::parse_account(payload.text("new")?)?);
    let rotate = payload.text("rotate")?;
    let new_sig = payload.text("new_sig")?;
    let created_at = payload.time("created_at")?;
    ensure(
        rotate.strip_prefix("sha256:").is_some_and(|hex| forms::is_hex(hex, 64)),
        malformed,
        "not the hash of an event",
    )?;
    ensure(forms::is_hex(new_sig, 128), malformed, "new_sig is no signature")?;
    ensure(old != new, malformed, "old and new key are the same")?;
    transfer.check_signature()?;
    let acceptance = json!({
        "type": "kez.handle_transfer_acceptance",
        "version": 1,
        "handle": handle.local,
        "server": handle.server,
        "old": old.to_string(),
        "new": new.to_string(),
        "rotate": rotate,
        "created_at": payload.text("created_at")?,
    });
    envelope::verify(&new, &acceptance, &forms::from_hex(new_sig)?)?;
    let registration = Registration::read(members.get("registration")?.clone())?;
    ensure(
        registration.handle == handle && registration.primary == new,
        malformed,
        "not a registration of this handle by the new key",
    )?;
    ensure(handle.server == server, Code::WrongServer, "made for another server")?;
    for made in [created_at, registration.created_at] {
        ensure(
            (made - now_millis).abs() <= WINDOW_MILLIS,
            Code::ClockSkew,
            "more than 300 seconds from the clock",
        )?;
    }
    let rotate = rotate.to_string();
    Ok(Transfer {
        handle,
        old,
        new,
        rotate,
    })
}

/// What a client asked a server for.
pub struct Asked<'a> {
    pub server: &'a str,
    pub local: Option<&'a str>,
    pub primary: Option<&'a str>,
}

/// Verifies a record (KEZ-REG-019, KEZ-REG-022), whose faults have one code.
pub fn verify_record(record: &Value, asked: &Asked<'_>) -> Result<Registration> {
    read_record(record, asked).map_err(|problem| Code::RecordInvalid.because(problem.to_string()))
}

fn read_record(record: &Value, asked: &Asked<'_>) -> Result<Registration> {
    let invalid = Code::RecordInvalid;
    let members = Members::of(record, invalid)?;
    let handle = Handle::parse(members.text("handle")?)?;
    let primary = Primary::from(Primary::parse_account(members.text("primary")?)?);
    members.time("registered_at")?;
    members.bounded("sigchain_url", 512)?;
    let endpoints = members.array("endpoints")?;
    ensure(endpoints.len() <= LIST_LIMIT, invalid, "more than 16 endpoints")?;
    for endpoint in endpoints {
        ensure(
            endpoint["protocol"] == "nats",
            invalid,
            "an endpoint of another protocol",
        )?;
        sigchain::check_endpoint(&primary, Members::of(endpoint, invalid)?)?;
    }
    let registration = Registration::read(members.get("registration")?.clone())?;
    ensure(
        registration.handle == handle,
        invalid,
        "the registration is of another handle than the record",
    )?;
    ensure(
        registration.primary == primary,
        invalid,
        "the registration is of another key than the record",
    )?;
    ensure(
        handle.server == asked.server,
        invalid,
        "a handle of another server than the one asked",
    )?;
    ensure(
        asked.local.is_none_or(|local| local == handle.local),
        invalid,
        "another handle than asked for",
    )?;
    let as_asked = asked.primary.is_none_or(|asked| asked == primary.to_string());
    ensure(as_asked, invalid, "another key than asked for")?;
    Ok(registration)
}

fn check_url(text: &str, schemes: &[&str]) -> Result<()> {
    ensure(
        forms::is_url(text, schemes),
        Code::RecordInvalid,
        "not a URL of the schemes for this member",
    )
}

/// A server description (KEZ-REG-029), reduced to what is defined.
pub fn well_known(json: &Value) -> Result<Value> {
    let description = Members::of(json, Code::RecordInvalid)?;
    let server = description.text("server")?;
    ensure(handle::is_server(server), Code::RecordInvalid, "not a server part")?;
    let broker = description.object("broker")?;
    let urls = |name: &str, schemes: &[&str]| -> Result<Vec<Value>> {
        let urls = broker.array(name)?;
        ensure(urls.len() <= LIST_LIMIT, Code::RecordInvalid, "more than 16 URLs")?;
        for url in urls {
            let text = url
                .as_str()
                .ok_or_else(|| Code::RecordInvalid.because("a URL that is no string"))?;
            check_url(text, schemes)?;
        }
        Ok(urls.to_vec())
    };
    let tcp = urls("tcp", &["nats", "tls"])?;
    let websocket = urls("websocket", &["ws", "wss"])?;
    let sig_server = description.text("sig_server")?;
    check_url(sig_server, &["http", "https"])?;
    let limits = if description.has("limits") {
        let limits = description.object("limits")?;
        for name in limits.map().keys() {
            limits.integer(name)?;
        }
        limits.map().clone()
    } else {
        Map::new()
    };
    let broker = json!({ "tcp": tcp, "websocket": websocket });
    Ok(json!({ "server": server, "broker": broker, "sig_server": sig_server, "limits": limits }))
}

/// Milliseconds since 1970 of a clock's `2026-05-25T00:00:00.000Z`.
pub fn clock(text: &str) -> Result<i64> {
    match text.strip_suffix('Z').and_then(|text| text.split_once('.')) {
        Some((seconds, millis)) => {
            let millis: i64 = millis
                .parse()
                .map_err(|_| Code::TimestampMalformed.because("no milliseconds"))?;
            Ok(forms::time(&format!("{seconds}Z"))? + millis)
        }
        None => forms::time(text),
    }
}
