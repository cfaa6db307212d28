//! Files and manifests.
use super::{Answer, Args, Failure, Operation};
use crate::data::forms;
use crate::data::members::Members;
use crate::files::ranges::Ranges;
use crate::files::request::{self, Request};
use crate::files::ticket::{self, Format, Ticket};
use crate::files::{blob, encryption, manifest};
use crate::identity::keys::PublicKey;
use crate::identity::primary::Primary;
use crate::problem::Code;
use serde_json::{json, Value};

pub const OPERATIONS: &[(&str, Operation)] = &[
    ("blob.tree", blob_tree),
    ("blob.answer", blob_answer),
    ("blob.read", blob_read),
    ("blob.request", blob_request),
    ("blob.asked", blob_asked),
    ("file.encrypt", file_encrypt),
    ("file.decrypt", file_decrypt),
    ("fileKey.wrap", file_key_wrap),
    ("fileKey.unwrap", file_key_unwrap),
    ("ticket.decode", ticket_decode),
    ("ticket.shared", ticket_shared),
    ("manifest.hint", manifest_hint),
    ("manifest.seal", manifest_seal),
    ("manifest.read", manifest_read),
];

/// Longer values are left out of results, which name their hashes.
const SHORT: usize = 700;

/// A blob whose bytes are i mod 251.
fn sample(args: Args<'_>) -> Result<Vec<u8>, Failure> {
    Ok((0..args.integer("size")?).map(|index| (index % 251) as u8).collect())
}

fn account(args: Args<'_>, name: &str) -> Result<PublicKey, Failure> {
    Ok(Primary::parse_account(args.text(name)?)?)
}

fn hex32(args: Args<'_>, name: &str) -> Result<[u8; 32], Failure> {
    Ok(forms::hex_array(args.text(name)?)?)
}

fn ranges(args: Args<'_>) -> Result<Ranges, Failure> {
    let boundary = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let boundaries: Option<Vec<u64>> = args.array("ranges")?.iter().map(boundary).collect();
    boundaries
        .map(Ranges)
        .ok_or_else(|| Failure::Unexpected("a boundary that is no number".into()))
}

/// Bytes with their length, or their hash where they are many.
fn summary(bytes: &[u8]) -> Value {
    if bytes.len() > SHORT {
        json!({ "length": bytes.len(), "blake3": blake3::hash(bytes).to_hex().as_str() })
    } else {
        json!({ "length": bytes.len(), "hex": forms::hex(bytes) })
    }
}

fn blob_tree(args: Args<'_>) -> Answer {
    let tree = blob::tree(&sample(args)?);
    Ok(json!({ "hash": forms::hex(&tree.hash), "outboard": summary(&tree.outboard) }))
}

fn blob_answer(args: Args<'_>) -> Answer {
    Ok(summary(&blob::answer(&sample(args)?, &ranges(args)?)))
}

fn blob_read(args: Args<'_>) -> Answer {
    let parts = blob::read(
        &hex32(args, "hash")?,
        args.integer("size")?,
        &ranges(args)?,
        &args.hex("answer")?,
    )?;
    let parts = parts
        .iter()
        .map(|part| json!({ "offset": part.offset, "bytes": forms::hex(&part.bytes) }));
    Ok(parts.collect())
}

fn blob_request(args: Args<'_>) -> Answer {
    Ok(json!(forms::hex(&request::write(
        &hex32(args, "hash")?,
        &ranges(args)?
    ))))
}

fn blob_asked(args: Args<'_>) -> Answer {
    Ok(match request::read(&args.hex("request")?)? {
        Request::Get { listed } => json!({ "kind": "get", "listed": listed }),
        Request::GetMany => json!({ "kind": "getMany" }),
        Request::Observe => json!({ "kind": "observe" }),
        Request::Push => json!({ "kind": "push" }),
    })
}

fn file_encrypt(args: Args<'_>) -> Answer {
    let blob = encryption::encrypt(&hex32(args, "key")?, &sample(args)?);
    let hash = format!("blake3:{}", blake3::hash(&blob).to_hex());
    let mut result = json!({ "length": blob.len(), "hash": hash });
    if blob.len() <= SHORT {
        result["blob"] = json!(forms::hex(&blob));
    }
    Ok(result)
}

fn file_decrypt(args: Args<'_>) -> Answer {
    let file = encryption::decrypt(&hex32(args, "key")?, args.integer("size")?, &args.hex("blob")?)?;
    Ok(json!(forms::hex(&file)))
}

fn file_key_wrap(args: Args<'_>) -> Answer {
    let (key, hash, ephemeral) = (
        hex32(args, "key")?,
        hex32(args, "blob_hash")?,
        hex32(args, "ephemeral")?,
    );
    Ok(json!(encryption::wrap(
        &key,
        &hash,
        &account(args, "owner")?,
        &account(args, "reader")?,
        ephemeral
    )?))
}

fn file_key_unwrap(args: Args<'_>) -> Answer {
    let (hash, owner) = (hex32(args, "blob_hash")?, account(args, "owner")?);
    Ok(json!(forms::hex(&encryption::unwrap(
        &args.seed()?,
        &hash,
        &owner,
        args.text("wrapped")?
    )?)))
}

fn ticket_decode(args: Args<'_>) -> Answer {
    let ticket = Ticket::parse(args.text("ticket")?)?;
    let format = match ticket.format {
        Format::Raw => "raw",
        Format::HashSequence => "hashSeq",
    };
    let addresses: Vec<String> = ticket.addresses.iter().map(ToString::to_string).collect();
    let (endpoint, hash) = (forms::hex(ticket.endpoint.bytes()), forms::hex(&ticket.hash));
    Ok(json!({
        "endpoint": endpoint, "hash": hash, "format": format, "relay": ticket.relay, "addresses": addresses,
    }))
}

fn ticket_shared(args: Args<'_>) -> Answer {
    let ticket = ticket::shared(args.text("ticket")?, &account(args, "owner")?, args.text("blob_hash")?)?;
    Ok(json!(forms::hex(ticket.endpoint.bytes())))
}

fn manifest_hint(args: Args<'_>) -> Answer {
    let id = forms::base64url_array(args.text("id")?)?;
    Ok(json!(forms::base64url(&manifest::hint(
        &args.seed()?,
        &account(args, "reader")?,
        &id
    )?)))
}

fn manifest_seal(args: Args<'_>) -> Answer {
    let readers = args.texts("readers")?;
    let readers = readers.iter().map(|reader| Primary::parse_account(reader));
    let ephemerals = args.texts("ephemerals")?;
    let random = manifest::Random {
        id: forms::base64url_array(args.text("id")?)?,
        key: hex32(args, "key")?,
        salt: hex32(args, "salt")?,
        ephemerals: ephemerals
            .iter()
            .map(|text| forms::hex_array(text))
            .collect::<Result<_, _>>()?,
    };
    let readers = readers.collect::<Result<Vec<_>, _>>()?;
    Ok(manifest::seal(&args.seed()?, args.get("file")?, &readers, &random)?)
}

fn manifest_read(args: Args<'_>) -> Answer {
    let members = |name| {
        args.optional(name)
            .map(|value| Members::of(value, Code::RequestMalformed))
            .transpose()
    };
    let (anchor, known) = (members("anchor")?, members("known")?);
    let manifest = manifest::read(
        &args.seed()?,
        &account(args, "owner")?,
        anchor,
        known,
        &args.base64url("body")?,
    )?;
    let file = |file: &manifest::File| json!({ "id": forms::base64url(&file.id), "name": file.file["name"], "public": file.public });
    let files: Vec<Value> = manifest.files.iter().map(file).collect();
    Ok(json!({ "revision": manifest.revision, "files": files, "broken": manifest.broken }))
}
