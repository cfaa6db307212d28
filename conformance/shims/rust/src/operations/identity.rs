//! Keys, words, names, and the data forms below them.
use super::{Answer, Args, Operation};
use crate::data::{forms, jcs, strict_json};
use crate::identity::handle::Handle;
use crate::identity::keys::{PublicKey, Seed};
use crate::identity::primary::Primary;
use crate::identity::{identifier, mnemonic, nkey, safety_number};
use serde_json::{json, Value};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("json.parse", json_parse),
    ("hex.decode", |args| {
        Ok(json!(forms::base64url(&forms::from_hex(args.text("text")?)?)))
    }),
    ("base64url.decode", |args| {
        Ok(json!(forms::hex(&forms::from_base64url(args.text("text")?)?)))
    }),
    ("time.parse", |args| Ok(json!(forms::time(args.text("time")?)?))),
    ("primary.parse", primary_parse),
    ("signature.verify", signature_verify),
    ("x25519.agree", agree),
    ("x25519.agreeWithEphemeral", agree_with_ephemeral),
    ("mnemonic.toSeed", mnemonic_to_seed),
    ("handle.parse", handle_parse),
    ("handle.parseMention", |args| {
        Ok(json!(
            Handle::parse_mention(args.text("text")?, args.text("server")?)?.to_string()
        ))
    }),
    ("identifier.parse", |args| {
        Ok(json!(identifier::normalize(args.text("identifier")?)?))
    }),
    ("safetyNumber.of", safety_number_of),
    ("safetyNumber.parseQr", |args| {
        Ok(json!(forms::hex(&safety_number::parse_qr(args.text("qr")?)?)))
    }),
];

const JSON_LIMIT: u64 = 4_096;

fn json_parse(args: Args<'_>) -> Answer {
    let bytes = forms::from_base64url(args.text("json")?)?;
    let limit = args.optional("max_bytes").and_then(Value::as_u64).unwrap_or(JSON_LIMIT);
    Ok(json!(jcs::to_string(&strict_json::parse(&bytes, limit as usize)?)))
}

fn primary_parse(args: Args<'_>) -> Answer {
    Ok(match Primary::parse(args.text("primary")?)? {
        Primary::Ed25519(key) => json!({
            "system": "ed25519",
            "ed25519": forms::hex(key.bytes()),
            "x25519": forms::hex(&key.x25519()?),
            "nkey": nkey::nkey(&key),
        }),
        Primary::Nostr(x) => json!({ "system": "nostr", "x": forms::hex(&x) }),
    })
}

fn signature_verify(args: Args<'_>) -> Answer {
    let key = PublicKey::admit(forms::hex_array(args.text("public_key")?)?)?;
    key.verify(
        &forms::from_hex(args.text("message")?)?,
        &forms::from_hex(args.text("signature")?)?,
    )?;
    Ok(json!(true))
}

fn agree(args: Args<'_>) -> Answer {
    let seed = Seed::new(forms::hex_array(args.text("seed")?)?);
    Ok(json!(forms::hex(
        &seed.agree(&Primary::parse_account(args.text("peer")?)?)?
    )))
}

fn agree_with_ephemeral(args: Args<'_>) -> Answer {
    let seed = Seed::new(forms::hex_array(args.text("seed")?)?);
    Ok(json!(forms::hex(
        &seed.agree_with_ephemeral(forms::hex_array(args.text("public_key")?)?)?
    )))
}

fn mnemonic_to_seed(args: Args<'_>) -> Answer {
    let seed = mnemonic::to_seed(args.text("words")?)?;
    Ok(json!({ "seed": forms::hex(&seed), "public_key": forms::hex(&mnemonic::public_key(seed)) }))
}

fn handle_parse(args: Args<'_>) -> Answer {
    let handle = Handle::parse(args.text("handle")?)?;
    Ok(json!({ "local": handle.local, "server": handle.server }))
}

fn safety_number_of(args: Args<'_>) -> Answer {
    let (a, b) = (
        Primary::parse_account(args.text("a")?)?,
        Primary::parse_account(args.text("b")?)?,
    );
    let digest = safety_number::digest(&a, &b);
    let (number, qr) = (safety_number::number(&digest), safety_number::qr(&digest));
    Ok(json!({ "digest": forms::hex(&digest), "number": number, "qr": qr }))
}
