//! Primary keys as text (KEZ-KEY-001 to KEZ-KEY-003), and the signatures of their systems.
use super::keys::PublicKey;
use crate::data::forms;
use crate::problem::{ensure, Code, Result};
use bech32::{Bech32, Hrp};
use k256::schnorr;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primary {
    Ed25519(PublicKey),
    /// The x coordinate.
    Nostr([u8; 32]),
}

impl Primary {
    /// Parses a primary of either system and admits an `ed25519` one.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("ed25519", digits)) => {
                ensure(
                    forms::is_hex(digits, 64),
                    Code::KeyMalformed,
                    "not 64 lower-case hexadecimal digits",
                )?;
                Ok(Self::Ed25519(PublicKey::admit(forms::hex_array(digits)?)?))
            }
            Some(("nostr", npub)) => Ok(Self::Nostr(parse_npub(npub)?)),
            _ => Err(Code::KeyMalformed.because("not a primary of a known system")),
        }
    }

    /// Parses the primary of a chat account.
    pub fn parse_account(text: &str) -> Result<PublicKey> {
        match Self::parse(text)? {
            Self::Ed25519(key) => Ok(key),
            Self::Nostr(_) => Err(Code::KeyMalformed.because("an account has a key of the ed25519 system")),
        }
    }
}

impl fmt::Display for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(key) => write!(f, "ed25519:{}", forms::hex(key.bytes())),
            Self::Nostr(x) => write!(f, "nostr:{}", npub(x)),
        }
    }
}

impl From<PublicKey> for Primary {
    fn from(key: PublicKey) -> Self {
        Self::Ed25519(key)
    }
}

fn npub(x: &[u8; 32]) -> String {
    bech32::encode::<Bech32>(Hrp::parse_unchecked("npub"), x).unwrap_or_default()
}

/// The x coordinate of `npub1…`, in lower case and otherwise canonical.
pub fn parse_npub(text: &str) -> Result<[u8; 32]> {
    let malformed = |message| Code::KeyMalformed.because(message);
    let (hrp, bytes) = bech32::decode(text).map_err(|_| malformed("not bech32"))?;
    ensure(hrp.as_str() == "npub", Code::KeyMalformed, "not an npub")?;
    let x: [u8; 32] = bytes.try_into().map_err(|_| malformed("not 32 bytes"))?;
    ensure(
        npub(&x) == text,
        Code::KeyMalformed,
        "not the canonical bech32 of its bytes",
    )?;
    Ok(x)
}

/// BIP-340 (KEZ-SIG-008).
pub fn verify_schnorr(x: &[u8; 32], message: &[u8; 32], signature: &[u8]) -> Result<()> {
    let verify = || {
        let signature = schnorr::Signature::try_from(signature)?;
        schnorr::VerifyingKey::from_bytes(x)?.verify_raw(message, &signature)
    };
    verify()
        .map_err(|_: schnorr::signature::Error| Code::SignatureInvalid.because("the Schnorr signature does not verify"))
}
