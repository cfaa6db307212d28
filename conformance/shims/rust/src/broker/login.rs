//! Login and subjects (KEZ-NAT-001 to KEZ-NAT-005).
use crate::data::forms;
use crate::identity::keys::{PublicKey, Seed};
use crate::problem::{ensure, Code, Problem, Result};
use serde_json::{json, Value};
use url::Url;

fn refused(message: &'static str) -> Problem {
    Code::LoginRefused.because(message)
}

/// The host that a login at the dialled URL names.
pub fn host(url: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("no scheme"))?;
    let known = ["nats", "tls", "ws", "wss"].contains(&scheme.to_ascii_lowercase().as_str());
    ensure(known, Code::LoginRefused, "another scheme")?;
    ensure(!rest.starts_with(['/', '\\']), Code::LoginRefused, "no host")?;
    // The URL standard reads hosts as domains and addresses only in schemes that it knows.
    let url = Url::parse(&format!("https://{rest}")).map_err(|_| refused("not a URL"))?;
    let anonymous = url.username().is_empty() && url.password().is_none();
    ensure(anonymous, Code::LoginRefused, "a URL with a user or password")?;
    let host = url.host_str().ok_or_else(|| refused("no host"))?;
    let host = host.strip_suffix('.').unwrap_or(host);
    ensure(
        !host.split('.').any(str::is_empty),
        Code::LoginRefused,
        "a host with an empty label",
    )?;
    Ok(host.to_owned())
}

/// The login bytes and their signature.
pub fn sign(seed: &Seed, host_name: &str, nonce: &str) -> Result<(Vec<u8>, [u8; 64])> {
    let form = nonce.len() == 15
        && nonce
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    ensure(form, Code::LoginRefused, "not a nonce of 15 characters")?;
    let normal = host(&format!("nats://{host_name}"))? == host_name;
    ensure(normal, Code::LoginRefused, "a host that is not in its normal form")?;
    let bytes = [b"kez/nats-auth/v1\0", host_name.as_bytes(), b"\0", nonce.as_bytes()].concat();
    let signature = seed.sign(&bytes);
    Ok((bytes, signature))
}

pub fn subjects(key: &PublicKey) -> Value {
    let pk = forms::hex(key.bytes());
    json!({
        "inbox": format!("kez.inbox.{pk}"),
        "self": format!("kez.self.{pk}"),
        "delivery": format!("kez.dlv.{pk}"),
        "fetch": format!("kez.fetch.{pk}"),
        "trim": format!("kez.trim.{pk}"),
        "block": format!("kez.block.{pk}"),
        "reply_prefix": format!("_INBOX_{pk}"),
    })
}
