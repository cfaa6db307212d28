//! The message envelope, its encryption and its seal (KEZ-DM-001 to KEZ-DM-014, KEZ-SEQ-013).
use super::{body, hpke, padding};
use crate::data::{forms, jcs, strict_json};
use crate::identity::keys::{PublicKey, Seed};
use crate::identity::primary::Primary;
use crate::problem::{ensure, Code, Result};
use crate::statements::envelope::{self, Envelope, MESSAGE};
use serde_json::{json, Map, Value};

const SUITE: &str = "x25519-hkdf-sha256-chacha20poly1305";
const VERSION: u8 = 1;
const SEAL_INFO: &str = "kez.chat.seal/1";
const FRAME_LIMIT: usize = 65_536;
const FRAME_MIN: usize = 50;
/// Version, encapsulated key and tag.
const FRAME_OVERHEAD: usize = 1 + 32 + 16;

/// Key material of one message.
pub struct Secrets {
    pub shared_secret: [u8; 32],
    pub info: Vec<u8>,
    pub okm: [u8; 44],
}

impl Secrets {
    fn derive(own: &Seed, peer: &PublicKey, from: &PublicKey, to: &PublicKey, salt: &[u8; 32]) -> Result<Self> {
        let shared_secret = own.agree(peer)?;
        let info = [b"kez.chat.message/1\0", from.bytes().as_slice(), to.bytes()].concat();
        let okm = hpke::hkdf(&shared_secret, salt, &info);
        Ok(Self {
            shared_secret,
            info,
            okm,
        })
    }

    pub fn key(&self) -> &[u8; 32] {
        self.okm.first_chunk().expect("44 bytes")
    }

    pub fn nonce(&self) -> &[u8; 12] {
        self.okm.last_chunk().expect("44 bytes")
    }
}

fn aad(payload: &Map<String, Value>) -> Vec<u8> {
    let mut header = payload.clone();
    header.remove("ciphertext");
    jcs::to_vec(&Value::Object(header))
}

/// What an author decides about a message.
pub struct Draft<'a> {
    pub to: PublicKey,
    pub id: &'a str,
    pub device: &'a str,
    pub seq: u64,
    pub prev: Option<&'a str>,
    pub created_at: &'a str,
    pub salt: [u8; 32],
}

pub struct Encrypted {
    pub secrets: Secrets,
    pub aad: Vec<u8>,
    pub plaintext: Vec<u8>,
    pub ciphertext: Vec<u8>,
    pub envelope: Value,
}

pub fn encrypt(seed: &Seed, draft: &Draft<'_>, body: &[u8]) -> Result<Encrypted> {
    ensure(
        body.len() <= padding::BODY_LIMIT,
        Code::MessageTooLarge,
        "a body of more than 40,960 bytes",
    )?;
    let from = seed.public_key();
    let mut payload = Map::new();
    payload.insert("type".into(), json!("kez.chat.message"));
    payload.insert("version".into(), json!(1));
    payload.insert("id".into(), json!(draft.id));
    payload.insert("from".into(), json!(Primary::from(from).to_string()));
    payload.insert("to".into(), json!(Primary::from(draft.to).to_string()));
    payload.insert("device".into(), json!(draft.device));
    payload.insert("created_at".into(), json!(draft.created_at));
    payload.insert("seq".into(), json!(draft.seq));
    if let Some(prev) = draft.prev {
        payload.insert("prev".into(), json!(prev));
    }
    payload.insert("suite".into(), json!(SUITE));
    payload.insert("salt".into(), json!(forms::base64url(&draft.salt)));
    let secrets = Secrets::derive(seed, &draft.to, &from, &draft.to, &draft.salt)?;
    let aad = aad(&payload);
    let plaintext = padding::pad(body);
    let ciphertext = hpke::encrypt(secrets.key(), secrets.nonce(), &aad, &plaintext);
    payload.insert("ciphertext".into(), json!(forms::base64url(&ciphertext)));
    let envelope = envelope::sign(MESSAGE, payload, seed);
    Ok(Encrypted {
        secrets,
        aad,
        plaintext,
        ciphertext,
        envelope,
    })
}

pub struct Frame {
    pub sealed: hpke::Sealed,
    pub aad: Vec<u8>,
    pub bytes: Vec<u8>,
}

fn seal_aad(reader: &PublicKey) -> Vec<u8> {
    [&[VERSION], reader.bytes().as_slice()].concat()
}

/// Seals the JCS form of an envelope that fits into a frame.
pub fn seal(envelope: &[u8], reader: &PublicKey, ephemeral: [u8; 32]) -> Result<Frame> {
    ensure(
        FRAME_OVERHEAD + envelope.len() <= FRAME_LIMIT,
        Code::MessageTooLarge,
        "its frame would have more than 65,536 bytes",
    )?;
    let aad = seal_aad(reader);
    let sealed = hpke::seal(reader, ephemeral, SEAL_INFO, &aad, envelope)?;
    let bytes = [&[VERSION], sealed.enc.as_slice(), &sealed.ct].concat();
    Ok(Frame { sealed, aad, bytes })
}

fn unseal(seed: &Seed, frame: &[u8]) -> Result<Vec<u8>> {
    let malformed = Code::FrameMalformed;
    ensure(
        (FRAME_MIN..=FRAME_LIMIT).contains(&frame.len()),
        malformed,
        "not 50 to 65,536 bytes",
    )?;
    ensure(frame[0] == VERSION, malformed, "a frame of another version")?;
    let (enc, ct) = frame[1..]
        .split_first_chunk()
        .ok_or_else(|| malformed.because("no enc"))?;
    hpke::open(
        seed,
        enc,
        SEAL_INFO,
        &seal_aad(&seed.public_key()),
        ct,
        Code::FrameUnreadable,
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Incoming,
    Sent,
    Note,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Sent => "sent",
            Self::Note => "note",
        }
    }
}

/// A message that passed all steps of receiving up to its body.
pub struct Message {
    pub role: Role,
    pub peer: PublicKey,
    pub from: PublicKey,
    pub to: PublicKey,
    pub id: String,
    pub device: String,
    pub seq: u64,
    pub created_at: i64,
    pub hash: String,
    pub body: Value,
}

/// Takes the steps of receiving in their order and stops at the first that fails.
pub fn open(seed: &Seed, frame: &[u8]) -> Result<Message> {
    let text = unseal(seed, frame)?;
    let envelope = Envelope::from_value(strict_json::parse(&text, envelope::LIMIT)?)?.expect(MESSAGE)?;
    let payload = envelope.members(Code::MessageMalformed)?;
    payload.bytes::<16>("id")?;
    payload.bytes::<16>("device")?;
    let created_at = payload.time("created_at")?;
    let seq = payload.integer("seq")?;
    if payload.has("prev") {
        payload.hash("prev", "sha256:")?;
    }
    ensure(payload.text("suite")? == SUITE, Code::SuiteUnsupported, "another suite")?;
    let salt = payload.bytes::<32>("salt")?;
    let ciphertext = forms::from_base64url(payload.text("ciphertext")?)?;
    let sized = (52..=40_980).contains(&ciphertext.len());
    ensure(
        sized,
        Code::MessageMalformed,
        "a ciphertext of a length that no message has",
    )?;
    let from = Primary::parse_account(payload.text("from")?)?;
    let to = Primary::parse_account(payload.text("to")?)?;
    let envelope = envelope.verify()?;
    let own = seed.public_key();
    let (role, peer) = match (from == own, to == own) {
        (false, true) => (Role::Incoming, from),
        (true, false) => (Role::Sent, to),
        (true, true) => (Role::Note, own),
        (false, false) => return Err(Code::MessageMisdirected.because("neither from nor to this account")),
    };
    let payload = envelope.members(Code::MessageMalformed)?;
    let secrets = Secrets::derive(seed, &peer, &from, &to, &salt)?;
    let aad = aad(payload.map());
    let plaintext = hpke::decrypt(
        secrets.key(),
        secrets.nonce(),
        &aad,
        &ciphertext,
        Code::MessageUndecryptable,
    )?;
    let body = body::parse(padding::unpad(&plaintext)?, &from)?;
    let (id, device) = (payload.text("id")?.to_owned(), payload.text("device")?.to_owned());
    Ok(Message {
        role,
        peer,
        from,
        to,
        id,
        device,
        seq,
        created_at,
        hash: envelope.hash(),
        body,
    })
}
