//! Requests to the home server (KEZ-NAT-046, KEZ-NAT-057, KEZ-NAT-062).
use crate::data::forms;
use crate::data::members::Members;
use crate::data::strict_json;
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Value};

const LIMIT: usize = 512;
const MALFORMED: Code = Code::RequestMalformed;

fn parse(bytes: &[u8], read: impl Fn(Members<'_>) -> Result<Value>) -> Result<Value> {
    read(Members::of(&strict_json::parse(bytes, LIMIT)?, MALFORMED)?)
}

/// 16 bytes as base64url.
fn token<'a>(request: Members<'a>, name: &str) -> Result<&'a str> {
    request.bytes::<16>(name)?;
    request.text(name)
}

pub fn fetch(bytes: &[u8]) -> Result<Value> {
    parse(bytes, |request| {
        let mut fetch = json!({ "after": request.integer("after")?, "n": token(request, "n")? });
        if request.has("epoch") {
            fetch["epoch"] = json!(token(request, "epoch")?);
        }
        Ok(fetch)
    })
}

pub fn trim(bytes: &[u8]) -> Result<Value> {
    parse(bytes, |request| {
        let name = request.text("box")?;
        ensure(matches!(name, "inbox" | "self"), MALFORMED, "another box")?;
        let mut trim = json!({ "box": name, "n": token(request, "n")? });
        if request.has("epoch") {
            trim["epoch"] = json!(token(request, "epoch")?);
        }
        if request.has("upTo") {
            let up_to = request.integer("upTo")?;
            ensure(
                up_to > 0 && request.has("epoch"),
                MALFORMED,
                "upTo of 0, or without an epoch",
            )?;
            trim["upTo"] = json!(up_to);
        }
        Ok(trim)
    })
}

pub fn block(bytes: &[u8]) -> Result<Value> {
    parse(bytes, |request| {
        let (op, who) = (request.text("op")?, request.text("who")?);
        ensure(matches!(op, "add" | "remove"), MALFORMED, "another op")?;
        ensure(
            forms::is_hex(who, 64),
            MALFORMED,
            "who is not 64 lower-case hexadecimal digits",
        )?;
        Ok(json!({ "op": op, "who": who, "n": token(request, "n")? }))
    })
}
