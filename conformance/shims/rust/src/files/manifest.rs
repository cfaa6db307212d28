//! The list of files that an account shares (KEZ-MAN-001 to KEZ-MAN-031).
use super::shared_file;
use crate::data::members::Members;
use crate::data::{forms, jcs, strict_json};
use crate::identity::keys::{PublicKey, Seed};
use crate::identity::primary::Primary;
use crate::messages::{hpke, padding};
use crate::problem::{ensure, Code, Result};
use crate::statements::envelope::{Envelope, SHARED_FILES};
use serde_json::{json, Value};
use std::collections::HashSet;

const LIMIT: usize = 1_048_576;
const KEY_INFO: &str = "kez.manifest.key/1";
const MALFORMED: Code = Code::ManifestMalformed;

/// owner_ed32 || id 16
fn context(owner: &PublicKey, id: &[u8; 16]) -> Vec<u8> {
    [owner.bytes(), id.as_slice()].concat()
}

/// The hint of a reader, from the secret that owner and reader share.
fn hint_of(secret: &[u8; 32], owner: &PublicKey, reader: &PublicKey, id: &[u8; 16]) -> [u8; 2] {
    let info = [b"kez.manifest.hint/1\0", owner.bytes().as_slice(), reader.bytes()].concat();
    hpke::hkdf(secret, id, &info)
}

/// The hint by which `reader` finds its key in an entry of the account of `seed`.
pub fn hint(seed: &Seed, reader: &PublicKey, id: &[u8; 16]) -> Result<[u8; 2]> {
    Ok(hint_of(&seed.agree(reader)?, &seed.public_key(), reader, id))
}

/// Key and nonce of the sealed part.
fn entry_key(key: &[u8; 32], salt: &[u8], context: &[u8]) -> ([u8; 32], [u8; 12]) {
    let info = [b"kez.manifest.entry/1\0", context].concat();
    let okm: [u8; 44] = hpke::hkdf(key, salt, &info);
    let (mut key, mut nonce) = ([0; 32], [0; 12]);
    key.copy_from_slice(&okm[..32]);
    nonce.copy_from_slice(&okm[32..]);
    (key, nonce)
}

/// What is random in an entry.
pub struct Random {
    pub id: [u8; 16],
    pub key: [u8; 32],
    pub salt: [u8; 32],
    /// One for each reader.
    pub ephemerals: Vec<[u8; 32]>,
}

/// Seals a file to its readers; the order of the keys is that of their random `enc`.
pub fn seal(seed: &Seed, file: &Value, readers: &[PublicKey], random: &Random) -> Result<Value> {
    let owner = seed.public_key();
    let context = context(&owner, &random.id);
    let mut keys = Vec::new();
    for (reader, ephemeral) in readers.iter().zip(&random.ephemerals) {
        let aad = [context.as_slice(), reader.bytes()].concat();
        let sealed = hpke::seal(reader, *ephemeral, KEY_INFO, &aad, &random.key)?;
        keys.push((sealed.enc, sealed.ct, hint(seed, reader, &random.id)?));
    }
    keys.sort();
    let key = |(enc, ct, hint): ([u8; 32], Vec<u8>, [u8; 2])| json!({ "hint": forms::base64url(&hint), "enc": forms::base64url(&enc), "ct": forms::base64url(&ct) });
    let keys: Vec<Value> = keys.into_iter().map(key).collect();
    let (key, nonce) = entry_key(&random.key, &random.salt, &context);
    let ct = hpke::encrypt(&key, &nonce, &context, &padding::pad(&jcs::to_vec(file)));
    let sealed = [random.salt.as_slice(), &ct].concat();
    Ok(json!({ "id": forms::base64url(&random.id), "keys": keys, "sealed": forms::base64url(&sealed) }))
}

/// An entry's key for one reader, none of whom is named.
struct WrappedKey {
    hint: [u8; 2],
    enc: [u8; 32],
    ct: [u8; 48],
}

enum Content<'a> {
    Sealed { keys: Vec<WrappedKey>, sealed: Vec<u8> },
    Public(Members<'a>),
}

struct Entry<'a> {
    id: [u8; 16],
    content: Content<'a>,
}

fn read_entry(value: &Value) -> Result<Entry<'_>> {
    let entry = Members::of(value, MALFORMED)?;
    let id = entry.bytes("id")?;
    if entry.has("public") {
        ensure(
            !entry.has("keys") && !entry.has("sealed"),
            MALFORMED,
            "an entry that is sealed and public",
        )?;
        let file = entry.object("public")?;
        return Ok(Entry {
            id,
            content: Content::Public(file),
        });
    }
    let keys = entry.array("keys")?;
    ensure((1..=1_024).contains(&keys.len()), MALFORMED, "not 1 to 1,024 keys")?;
    let wrapped = |value| {
        let key = Members::of(value, MALFORMED)?;
        Ok(WrappedKey {
            hint: key.bytes("hint")?,
            enc: key.bytes("enc")?,
            ct: key.bytes("ct")?,
        })
    };
    let keys = keys.iter().map(wrapped).collect::<Result<_>>()?;
    let sealed = forms::from_base64url(entry.text("sealed")?)?;
    ensure(
        (84..=41_012).contains(&sealed.len()),
        MALFORMED,
        "a sealed part that is too short or long",
    )?;
    Ok(Entry {
        id,
        content: Content::Sealed { keys, sealed },
    })
}

/// What one account can read of a manifest.
#[derive(Default)]
pub struct Manifest {
    pub revision: u64,
    pub hash: String,
    pub files: Vec<File>,
    /// Ids and codes of entries that are shown as broken.
    pub broken: Vec<Value>,
}

pub struct File {
    pub id: [u8; 16],
    pub public: bool,
    /// Its members, which were checked.
    pub file: Value,
}

/// Reads a manifest for the account of `seed`, against the anchor and what was known of the owner's manifests.
pub fn read(
    seed: &Seed,
    owner: &PublicKey,
    anchor: Option<Members<'_>>,
    known: Option<Members<'_>>,
    body: &[u8],
) -> Result<Manifest> {
    let value = strict_json::parse(body, LIMIT)?;
    ensure(jcs::to_vec(&value) == body, MALFORMED, "not in JCS form")?;
    let envelope = Envelope::from_value(value)?.expect(SHARED_FILES)?;
    let payload = envelope.members(MALFORMED)?;
    let signer = Primary::parse_account(payload.text("primary")?)?;
    let revision = payload.integer("revision")?;
    let anchored = if payload.has("anchored") {
        Some(payload.hash("anchored", "blake3:")?)
    } else {
        None
    };
    payload.time("created_at")?;
    let entries = payload.array("entries")?.iter().map(read_entry);
    let entries = entries.collect::<Result<Vec<_>>>()?;
    let mut ids = HashSet::new();
    ensure(
        entries.iter().all(|entry| ids.insert(entry.id)),
        MALFORMED,
        "an id twice",
    )?;
    envelope.check_signature()?;
    ensure(signer == *owner, Code::ManifestMismatch, "another owner's manifest")?;
    let hash = format!("blake3:{}", blake3::hash(body).to_hex());
    check_anchor(anchor, &hash, body.len() as u64, revision, anchored)?;
    check_known(known, &hash, revision)?;
    let reader = Reader {
        seed,
        owner,
        own: seed.public_key(),
        secret: seed.agree(owner)?,
    };
    let (mut files, mut broken) = (Vec::new(), Vec::new());
    for entry in &entries {
        let id = forms::base64url(&entry.id);
        match reader.open(entry) {
            Ok(Some((file, public))) => files.push(File {
                id: entry.id,
                public,
                file,
            }),
            Ok(None) => (),
            Err(problem) => broken.push(json!({ "id": id, "code": problem.code.text() })),
        }
    }
    Ok(Manifest {
        revision,
        hash,
        files,
        broken,
    })
}

fn check_anchor(
    anchor: Option<Members<'_>>,
    hash: &str,
    size: u64,
    revision: u64,
    anchored: Option<&str>,
) -> Result<()> {
    let mismatch = Code::ManifestMismatch;
    let Some(anchor) = anchor else {
        return ensure(
            anchored.is_none(),
            mismatch,
            "it follows an anchor, and the chain has none",
        );
    };
    let anchor_hash = anchor.text("manifest")?;
    let anchor_revision = if anchor.has("revision") {
        Some(anchor.integer("revision")?)
    } else {
        None
    };
    if anchor_hash == hash {
        let same = anchor.integer("size")? == size && anchor_revision.is_none_or(|other| other == revision);
        return ensure(same, mismatch, "another length or revision than the chain names");
    }
    let follows = anchored == Some(anchor_hash) && anchor_revision.is_none_or(|other| revision > other);
    ensure(follows, mismatch, "neither the anchor nor one that follows it")
}

fn check_known(known: Option<Members<'_>>, hash: &str, revision: u64) -> Result<()> {
    let Some(known) = known else {
        return Ok(());
    };
    let seen = known.integer("revision")?;
    ensure(
        revision >= seen,
        Code::ManifestRollback,
        "an older manifest than one that was seen",
    )?;
    let same = revision > seen || known.text("hash")? == hash;
    ensure(
        same,
        Code::ManifestConflict,
        "another manifest of a revision that was seen",
    )
}

struct Reader<'a> {
    seed: &'a Seed,
    owner: &'a PublicKey,
    own: PublicKey,
    secret: [u8; 32],
}

impl Reader<'_> {
    /// The file, and whether it is public; none where it is for others.
    fn open(&self, entry: &Entry<'_>) -> Result<Option<(Value, bool)>> {
        let (keys, sealed) = match &entry.content {
            Content::Public(file) => {
                shared_file::check_entry(*file, self.owner)?;
                return Ok(Some((Value::Object(file.map().clone()), true)));
            }
            Content::Sealed { keys, sealed } => (keys, sealed),
        };
        let context = context(self.owner, &entry.id);
        let Some(key) = self.find_key(keys, &context, &entry.id) else {
            return Ok(None);
        };
        let (salt, ct) = sealed.split_at(32);
        let (key, nonce) = entry_key(&key, salt, &context);
        let plaintext = hpke::decrypt(&key, &nonce, &context, ct, MALFORMED)?;
        let file = strict_json::parse(padding::unpad(&plaintext)?, padding::BODY_LIMIT)?;
        shared_file::check_entry(Members::of(&file, MALFORMED)?, self.owner)?;
        Ok(Some((file, false)))
    }

    /// The key that opens among those of the right hint (KEZ-MAN-007).
    fn find_key(&self, keys: &[WrappedKey], context: &[u8], id: &[u8; 16]) -> Option<[u8; 32]> {
        let hint = hint_of(&self.secret, self.owner, &self.own, id);
        let aad = [context, self.own.bytes()].concat();
        let open = |key: &WrappedKey| {
            let key = hpke::open(self.seed, &key.enc, KEY_INFO, &aad, &key.ct, Code::ContentKeyInvalid).ok()?;
            key.try_into().ok()
        };
        keys.iter().filter(|key| key.hint == hint).find_map(open)
    }
}
