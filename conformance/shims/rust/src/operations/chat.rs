//! What the broker carries, and messages.
use super::{Answer, Args, Failure, Operation};
use crate::broker::{login, page, positions, requests};
use crate::data::forms;
use crate::data::members::Members;
use crate::identity::nkey;
use crate::identity::primary::Primary;
use crate::messages::contact::Contact;
use crate::messages::message::{self, Draft};
use crate::messages::{inbox, padding};
use crate::problem::Code;
use crate::statements::envelope;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("nkey.parse", |args| {
        Ok(json!(forms::hex(nkey::parse(args.text("nkey")?)?.bytes())))
    }),
    ("login.host", |args| Ok(json!(login::host(args.text("url")?)?))),
    ("login.sign", login_sign),
    ("subjects.of", |args| {
        Ok(login::subjects(&Primary::parse_account(args.text("primary")?)?))
    }),
    ("fetch.parse", |args| Ok(requests::fetch(&args.base64url("request")?)?)),
    ("trim.parse", |args| Ok(requests::trim(&args.base64url("request")?)?)),
    ("block.parse", |args| Ok(requests::block(&args.base64url("request")?)?)),
    ("acceptance.verify", acceptance_verify),
    ("page.decode", page_decode),
    ("positions.trace", |args| {
        Ok(json!(positions::trace(args.array("steps")?)?))
    }),
    ("padding.length", padding_length),
    ("padding.unpad", |args| {
        Ok(json!(forms::hex(padding::unpad(&args.hex("plaintext")?)?)))
    }),
    ("message.encrypt", message_encrypt),
    ("message.seal", message_seal),
    ("message.open", message_open),
    ("address.life", address_life),
    ("inbox.take", inbox_take),
    ("contact.trace", contact_trace),
];

/// Longer values are left out of results, which name their hashes.
const SHORT_BODY: usize = 1_024;

fn login_sign(args: Args<'_>) -> Answer {
    let (bytes, signature) = login::sign(&args.seed()?, args.text("host")?, args.text("nonce")?)?;
    Ok(json!({ "bytes": forms::base64url(&bytes), "signature": forms::base64url(&signature) }))
}

fn acceptance_verify(args: Args<'_>) -> Answer {
    let recipient = Primary::parse_account(args.text("recipient")?)?;
    let name = |bytes: &[u8]| format!("sha256:{}", forms::hex(&Sha256::digest(bytes)));
    let labelled = [b"kez.chat.acceptance/1\0", recipient.bytes().as_slice()].concat();
    let named = json!({ "recipient": name(&labelled), "frame": name(&args.base64url("frame")?) });
    let payload = json!({
        "type": "kez.chat.acceptance", "version": 1, "server": args.text("server")?, "key": args.text("key")?,
        "recipient": named["recipient"], "frame": named["frame"], "accepted_at": args.text("at")?,
    });
    envelope::verify(&Primary::parse(args.text("key")?)?, &payload, &args.base64url("sig")?)?;
    Ok(named)
}

fn page_decode(args: Args<'_>) -> Answer {
    let account = forms::hex_array(args.text("account")?)?;
    let n = forms::base64url_array(args.text("n")?)?;
    let page = page::decode(&args.base64url("page")?, &account, &n)?;
    let frame = |stored: page::Stored| json!({ "seq": stored.seq, "time_ms": stored.time_ms, "frame": forms::base64url(&stored.frame) });
    let frames: Vec<Value> = page.frames.into_iter().map(frame).collect();
    let epoch = forms::base64url(&page.epoch);
    Ok(json!({ "epoch": epoch, "last_seq": page.last_seq, "pending": page.pending, "frames": frames }))
}

fn padding_length(args: Args<'_>) -> Answer {
    Ok(json!(padding::plaintext_length(args.integer("n")? as usize)))
}

fn message_encrypt(args: Args<'_>) -> Answer {
    let draft = Draft {
        to: Primary::parse_account(args.text("to")?)?,
        id: args.text("id")?,
        device: args.text("device")?,
        seq: args.integer("seq")?,
        prev: args.optional("prev").and_then(Value::as_str),
        created_at: args.text("created_at")?,
        salt: forms::base64url_array(args.text("salt")?)?,
    };
    let body = args.base64url("body")?;
    let encrypted = message::encrypt(&args.seed()?, &draft, &body)?;
    let hash = |bytes: &[u8]| forms::hex(&Sha256::digest(bytes));
    let secrets = &encrypted.secrets;
    let mut result = json!({
        "shared_secret": forms::hex(&secrets.shared_secret),
        "info": forms::hex(&secrets.info),
        "okm": forms::hex(&secrets.okm),
        "key": forms::hex(secrets.key()),
        "nonce": forms::hex(secrets.nonce()),
        "aad": forms::base64url(&encrypted.aad),
        "plaintext_length": encrypted.plaintext.len(),
        "plaintext_sha256": hash(&encrypted.plaintext),
        "ciphertext_sha256": hash(&encrypted.ciphertext),
        "envelope_hash": envelope::hash(&encrypted.envelope),
    });
    if body.len() <= SHORT_BODY {
        result["plaintext"] = json!(forms::hex(&encrypted.plaintext));
        result["ciphertext"] = json!(forms::base64url(&encrypted.ciphertext));
        result["envelope"] = encrypted.envelope;
    }
    Ok(result)
}

fn message_seal(args: Args<'_>) -> Answer {
    let reader = Primary::parse_account(args.text("reader")?)?;
    let ephemeral = forms::hex_array(args.text("ephemeral")?)?;
    let frame = message::seal(&args.base64url("envelope")?, &reader, ephemeral)?;
    Ok(json!({
        "enc": forms::hex(&frame.sealed.enc),
        "dh": forms::hex(&frame.sealed.dh),
        "shared_secret": forms::hex(&frame.sealed.context.shared_secret),
        "key": forms::hex(&frame.sealed.context.key),
        "nonce": forms::hex(&frame.sealed.context.base_nonce),
        "aad": forms::hex(&frame.aad),
        "frame": forms::base64url(&frame.bytes),
    }))
}

fn message_open(args: Args<'_>) -> Answer {
    let message = message::open(&args.seed()?, &args.base64url("frame")?)?;
    Ok(json!({
        "role": message.role.name(),
        "peer": Primary::from(message.peer).to_string(),
        "from": Primary::from(message.from).to_string(),
        "to": Primary::from(message.to).to_string(),
        "id": message.id,
        "device": message.device,
        "seq": message.seq,
        "hash": message.hash,
        "body": message.body,
    }))
}

fn inbox_take(args: Args<'_>) -> Answer {
    let frames = args
        .array("frames")?
        .iter()
        .map(|frame| frame["frame"].as_str().unwrap_or_default());
    let frames = inbox::frames(frames)?;
    Ok(inbox::take(&args.seed()?, forms::time(args.text("now")?)?, &frames))
}

fn address_life(args: Args<'_>) -> Answer {
    let seconds = |name| -> Result<i64, Failure> { Ok(args.integer(name)? as i64) };
    let span = (forms::time(args.text("expires_at")?)? - forms::time(args.text("created_at")?)?) / 1_000;
    Ok(json!(inbox::address_life(span, seconds("stored")?, seconds("asked")?)))
}

fn contact_trace(args: Args<'_>) -> Answer {
    let read = |value| Members::of(value, Code::RequestMalformed);
    let mut contact = Contact::read(read(args.get("state")?)?)?;
    let steps = args.array("events")?.iter().map(|event| contact.step(read(event)?));
    Ok(json!(steps.collect::<crate::problem::Result<Vec<Value>>>()?))
}
