//! Bodies of messages (KEZ-DM-018 to KEZ-DM-022).
use crate::data::members::Members;
use crate::data::{forms, jcs, strict_json};
use crate::files::shared_file;
use crate::identity::handle::Handle;
use crate::identity::keys::PublicKey;
use crate::identity::primary::Primary;
use crate::messages::padding::BODY_LIMIT;
use crate::problem::{ensure, Code, Result};
use serde_json::Value;
use std::net::SocketAddr;

const MALFORMED: Code = Code::MessageMalformed;
const TEXT_LIMIT: usize = usize::MAX;

/// Parses a body by `author` and checks the members of the types that are known.
pub fn parse(bytes: &[u8], author: &PublicKey) -> Result<Value> {
    let value = strict_json::parse(bytes, BODY_LIMIT)?;
    ensure(jcs::to_vec(&value) == bytes, MALFORMED, "not in JCS form")?;
    let body = Members::of(&value, MALFORMED)?;
    let kind = body.bounded("type", 64)?;
    let chain = body.object("chain")?;
    chain.integer("seq")?;
    chain.hash("hash", "sha256:")?;
    body.optional_text("fallback")?;
    match kind {
        "text" => body.bounded("text", TEXT_LIMIT).map(drop)?,
        "receipt" => receipt(body)?,
        "address_request" => body.bytes::<16>("nonce").map(drop)?,
        "address" => address(body)?,
        "block_list" => block_list(body)?,
        "device_position" => {
            body.bytes::<16>("epoch")?;
            body.integer("up_to")?;
        }
        "file_share" => file_share(body, author)?,
        "introduction" => introduction(body)?,
        _ => (),
    }
    Ok(value)
}

fn texts<'a>(body: Members<'a>, name: &str) -> Result<Vec<&'a str>> {
    let not_text = || MALFORMED.because("an item that is no string");
    body.array(name)?
        .iter()
        .map(|item| item.as_str().ok_or_else(not_text))
        .collect()
}

fn receipt(body: Members<'_>) -> Result<()> {
    ensure(
        matches!(body.text("status")?, "delivered" | "read"),
        MALFORMED,
        "a receipt of another status",
    )?;
    let ids = texts(body, "ids")?;
    ensure((1..=128).contains(&ids.len()), MALFORMED, "not 1 to 128 ids")?;
    let well_formed = ids.iter().all(|id| forms::base64url_array::<16>(id).is_ok());
    ensure(well_formed, MALFORMED, "an id that is none")
}

fn address(body: Members<'_>) -> Result<()> {
    body.bytes::<16>("nonce")?;
    let addresses = texts(body, "addrs")?;
    ensure(addresses.len() <= 32, MALFORMED, "more than 32 addresses")?;
    let well_formed = addresses.iter().all(|address| address.parse::<SocketAddr>().is_ok());
    ensure(well_formed, MALFORMED, "an address that is none")?;
    let relay = body.optional_text("relay_url")?;
    ensure(
        relay.is_none_or(|url| forms::is_url(url, &["http", "https"])),
        MALFORMED,
        "a relay that is no URL",
    )?;
    body.time("expires_at").map(drop)
}

fn block_list(body: Members<'_>) -> Result<()> {
    let entries = body.array("entries")?;
    ensure((1..=256).contains(&entries.len()), MALFORMED, "not 1 to 256 entries")?;
    for entry in entries {
        let entry = Members::of(entry, MALFORMED)?;
        // A key that is only compared need not be admitted.
        ensure(
            forms::is_hash(entry.text("who")?, "ed25519:"),
            MALFORMED,
            "not the primary of an account",
        )?;
        entry.flag("blocked")?;
        ensure(entry.integer("rev")? > 0, MALFORMED, "a rev of 0")?;
    }
    Ok(())
}

fn introduction(body: Members<'_>) -> Result<()> {
    let wrong = |_| MALFORMED.because("not an introduction of somebody");
    Primary::parse_account(body.text("primary")?).map_err(wrong)?;
    if let Some(handle) = body.optional_text("handle")? {
        Handle::parse(handle).map_err(wrong)?;
    }
    let is_true = !body.has("withdrawn") || body.flag("withdrawn")?;
    ensure(is_true, MALFORMED, "withdrawn and not true")
}

fn file_share(body: Members<'_>, author: &PublicKey) -> Result<()> {
    body.bytes::<80>("wrapped_content_key")?;
    body.bytes::<80>("self_wrapped_content_key")?;
    shared_file::check(body, "filename", author, MALFORMED)
}
