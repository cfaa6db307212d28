//! Envelopes (KEZ-SIG-001 to KEZ-SIG-013).
use super::claim;
use super::registration::Registration;
use crate::data::members::Members;
use crate::data::{forms, jcs, strict_json};
use crate::identity::keys::Seed;
use crate::identity::primary::{verify_schnorr, Primary};
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Map, Value};
use sha2::{Digest, Sha256, Sha512};

pub const LIMIT: usize = 65_536;
const SHARED_FILES_LIMIT: usize = 1_048_576;
const ED25519: &str = "ed25519-sha512-jcs";
const NOSTR: &str = "nostr-secp256k1-schnorr-sha256-jcs";

/// A row of the table of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    pub kez: &'static str,
    payload_type: &'static str,
    signer: &'static str,
}

const fn kind(kez: &'static str, payload_type: &'static str, signer: &'static str) -> Kind {
    Kind {
        kez,
        payload_type,
        signer,
    }
}

pub const CLAIM: Kind = kind("claim", "kez.claim", "primary");
pub const EVENT: Kind = kind("sigchain_event", "kez.sigchain.event", "primary");
pub const REGISTRATION: Kind = kind("handle_registration", "kez.chat.handle_registration", "primary");
const DELETION: Kind = kind("handle_deletion", "kez.chat.handle_deletion", "primary");
pub const TRANSFER: Kind = kind("handle_transfer", "kez.chat.handle_transfer", "primary");
pub const MESSAGE: Kind = kind("chat_message", "kez.chat.message", "from");
pub const SHARED_FILES: Kind = kind("shared_files", "kez.chat.shared_files", "primary");
const KINDS: [Kind; 7] = [CLAIM, EVENT, REGISTRATION, DELETION, TRANSFER, MESSAGE, SHARED_FILES];

/// An envelope that agrees with the table of kinds. Its signature is checked by `verify`.
#[derive(Debug)]
pub struct Envelope {
    value: Value,
    pub kind: Kind,
    pub signer: Primary,
    signature: Vec<u8>,
}

impl Envelope {
    /// Parses the text of an envelope; one of another kind than `shared_files` has no longer text.
    pub fn from_text(text: &[u8]) -> Result<Self> {
        Self::from_value(strict_json::parse(text, LIMIT)?)
    }

    /// Reads a value that has passed the rules of strict JSON.
    pub fn from_value(value: Value) -> Result<Self> {
        let malformed = Code::EnvelopeMalformed;
        let envelope = Members::of(&value, malformed)?;
        envelope.only(&["kez", "payload", "signature"])?;
        let kez = envelope.text("kez")?;
        let payload = Members::new(envelope.object("payload")?.map(), Code::EnvelopeKind);
        let signature = envelope.object("signature")?;
        signature.only(&["alg", "key", "sig"])?;
        let (alg, key, sig) = (signature.text("alg")?, signature.text("key")?, signature.text("sig")?);
        ensure(
            forms::is_hex(sig, 128),
            malformed,
            "sig is not 128 lower-case hexadecimal digits",
        )?;
        ensure(
            matches!(alg, ED25519 | NOSTR),
            Code::AlgorithmUnsupported,
            "an unknown algorithm",
        )?;
        let found = KINDS.iter().find(|kind| kind.kez == kez);
        let kind = *found.ok_or_else(|| Code::EnvelopeKind.because("an unknown kind"))?;
        let limit = if kind == SHARED_FILES {
            SHARED_FILES_LIMIT
        } else {
            LIMIT
        };
        ensure(
            jcs::to_vec(&value).len() <= limit,
            Code::TooLarge,
            "an envelope of more than 65,536 bytes",
        )?;
        ensure(
            payload.text("type")? == kind.payload_type,
            Code::EnvelopeKind,
            "kind and type are no pair",
        )?;
        ensure(
            payload.integer("version")? == 1,
            Code::EnvelopeKind,
            "another version than 1",
        )?;
        ensure(
            payload.text(kind.signer)? == key,
            Code::EnvelopeKind,
            "the payload names another signer",
        )?;
        let signer = Primary::parse(key)?;
        let expected = match signer {
            Primary::Ed25519(_) => ED25519,
            Primary::Nostr(_) => NOSTR,
        };
        ensure(
            alg == expected,
            Code::AlgorithmUnsupported,
            "an algorithm of another system than the key's",
        )?;
        let signature = forms::from_hex(sig)?;
        Ok(Self {
            value,
            kind,
            signer,
            signature,
        })
    }

    pub fn expect(self, kind: Kind) -> Result<Self> {
        ensure(self.kind == kind, Code::EnvelopeKind, "an envelope of another kind")?;
        Ok(self)
    }

    pub fn check_signature(&self) -> Result<()> {
        verify(&self.signer, self.payload(), &self.signature)
    }

    pub fn verify(self) -> Result<Self> {
        self.check_signature()?;
        Ok(self)
    }

    pub fn payload(&self) -> &Value {
        &self.value["payload"]
    }

    /// Members of the payload; what is missing or of another type is refused with `code`.
    pub fn members(&self, code: Code) -> Result<Members<'_>> {
        Members::of(self.payload(), code)
    }

    pub fn hash(&self) -> String {
        hash(&self.value)
    }

    /// Bytes of the JCS form.
    pub fn size(&self) -> usize {
        jcs::to_vec(&self.value).len()
    }

    pub fn signed(&self) -> Vec<u8> {
        jcs::to_vec(self.payload())
    }
}

pub fn hash(envelope: &Value) -> String {
    format!("sha256:{}", forms::hex(&Sha256::digest(jcs::to_vec(envelope))))
}

/// Verifies a signature over a payload, by the system of the key.
pub fn verify(signer: &Primary, payload: &Value, signature: &[u8]) -> Result<()> {
    let signed = jcs::to_vec(payload);
    match signer {
        Primary::Ed25519(key) => key.verify(&Sha512::digest(signed), signature),
        Primary::Nostr(x) => verify_schnorr(x, &Sha256::digest(signed).into(), signature),
    }
}

/// The signature of a statement that came from outside: one that no reader would take is refused (KEZ-SIG-012).
pub fn sign_checked(kez: &str, payload: &Map<String, Value>, seed: &Seed) -> Result<Value> {
    let found = KINDS.iter().find(|kind| kind.kez == kez);
    let kind = *found.ok_or_else(|| Code::EnvelopeKind.because("an unknown kind"))?;
    let envelope = sign(kind, payload.clone(), seed);
    match kind {
        CLAIM => claim::parse(envelope.clone()).map(drop)?,
        REGISTRATION => Registration::read(envelope.clone()).map(drop)?,
        _ => Envelope::from_value(envelope.clone()).map(drop)?,
    }
    Ok(envelope["signature"].clone())
}

/// Signs a payload that the caller has built in full.
pub fn sign(kind: Kind, payload: Map<String, Value>, seed: &Seed) -> Value {
    let payload = Value::Object(payload);
    let sig = seed.sign(&Sha512::digest(jcs::to_vec(&payload)));
    let key = Primary::from(seed.public_key()).to_string();
    json!({ "kez": kind.kez, "payload": payload, "signature": { "alg": ED25519, "key": key, "sig": forms::hex(&sig) } })
}
