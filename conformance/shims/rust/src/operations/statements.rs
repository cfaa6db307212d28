//! Envelopes, their encodings, claims, sigchains, registrations.
use super::{Answer, Args, Failure, Operation};
use crate::data::members::Members;
use crate::data::{forms, strict_json};
use crate::problem::Code;
use crate::statements::addresses::{self, Class};
use crate::statements::envelope::{self, Envelope};
use crate::statements::registration::{self, Asked, Registration, Transfer};
use crate::statements::{claim, encodings, sigchain};
use serde_json::{json, Value};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("envelope.verify", envelope_verify),
    ("envelope.sign", envelope_sign),
    ("claim.parse", |args| Ok(claim::parse(checked(args, "envelope")?)?)),
    ("encoding.decode", |args| {
        Ok(json!(encodings::decode(args.text("text")?)?.hash()))
    }),
    ("encoding.decodeTxt", |args| {
        Ok(json!(encodings::decode_txt(&args.texts("segments")?)?.hash()))
    }),
    ("encoding.decodeBundle", |args| {
        Ok(json!(encodings::decode_bundle(args.text("text")?)?))
    }),
    ("sigchain.verify", sigchain_verify),
    ("sigchain.compare", sigchain_compare),
    ("registration.check", registration_check),
    ("transfer.check", transfer_check),
    ("record.verify", record_verify),
    ("wellKnown.parse", |args| {
        Ok(registration::well_known(&checked(args, "json")?)?)
    }),
    ("namedHost.check", named_host_check),
];

/// A larger value than any that an operation takes.
const ANY_SIZE: usize = 1 << 24;

/// An argument that came as JSON, under the rules of strict JSON.
fn checked(args: Args<'_>, name: &str) -> Result<Value, Failure> {
    Ok(strict_json::recheck(args.get(name)?, ANY_SIZE)?)
}

fn envelope_verify(args: Args<'_>) -> Answer {
    let envelope = Envelope::from_text(&forms::from_base64url(args.text("json")?)?)?.verify()?;
    Ok(json!({
        "kind": envelope.kind.kez,
        "signer": envelope.signer.to_string(),
        "signed": forms::base64url(&envelope.signed()),
        "hash": envelope.hash(),
    }))
}

fn envelope_sign(args: Args<'_>) -> Answer {
    let payload = checked(args, "payload")?;
    let payload = Members::of(&payload, Code::EnvelopeMalformed)?;
    Ok(envelope::sign_checked(args.text("kez")?, payload.map(), &args.seed()?)?)
}

fn sigchain_verify(args: Args<'_>) -> Answer {
    let events = checked(args, "events")?;
    let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(sigchain::verify(args.text("primary")?, events)?)
}

fn sigchain_compare(args: Args<'_>) -> Answer {
    let known = args
        .optional("known")
        .map(|known| Members::of(known, Code::RequestMalformed))
        .transpose()?;
    Ok(json!(sigchain::compare(known, &args.texts("hashes")?)?))
}

fn registration_check(args: Args<'_>) -> Answer {
    let now = registration::clock(args.text("now")?)?;
    let Registration {
        handle,
        primary,
        created_at,
    } = registration::check(&checked(args, "body")?, args.text("server")?, now)?;
    let primary = primary.to_string();
    Ok(json!({ "handle": handle.local, "server": handle.server, "primary": primary, "created_at": created_at }))
}

fn transfer_check(args: Args<'_>) -> Answer {
    let now = registration::clock(args.text("now")?)?;
    let Transfer {
        handle,
        old,
        new,
        rotate,
    } = registration::check_transfer(&checked(args, "body")?, args.text("server")?, now)?;
    let (old, new) = (old.to_string(), new.to_string());
    Ok(json!({ "handle": handle.local, "server": handle.server, "old": old, "new": new, "rotate": rotate }))
}

fn record_verify(args: Args<'_>) -> Answer {
    let asked = Args(args.get("asked")?);
    let text = |name: &str| asked.optional(name).and_then(Value::as_str);
    let asked = Asked {
        server: asked.text("server")?,
        local: text("handle"),
        primary: text("primary"),
    };
    let registration = registration::verify_record(&checked(args, "record")?, &asked)?;
    Ok(json!({ "handle": registration.handle.to_string(), "primary": registration.primary.to_string() }))
}

fn named_host_check(args: Args<'_>) -> Answer {
    let home = Class::parse(args.text("home")?).ok_or_else(|| Failure::Unexpected("an unknown class".into()))?;
    Ok(json!(addresses::check_named(home, args.text("host")?)?.map(Class::name)))
}
