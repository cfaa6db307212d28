//! Primary keys and their signatures (KEZ-KEY-001, 002, 006 and 008; KEZ-SIG-007 and 008).
use crate::problem::{ensure, problem, Result};
use bech32::{Bech32, Hrp};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use k256::schnorr;
use sha2::{Digest, Sha256, Sha512};

pub enum Primary {
    Ed25519([u8; 32], EdwardsPoint),
    /// The x coordinate.
    Nostr([u8; 32]),
}

pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Parses a primary, and admits an `ed25519` one.
pub fn parse(text: &str) -> Result<Primary> {
    match text.split_once(':') {
        Some(("ed25519", digits)) => admit(digits),
        Some(("nostr", npub)) => {
            let x = bech32::decode(npub).ok().and_then(|(_, bytes)| bytes.try_into().ok());
            let x: [u8; 32] = x.ok_or_else(|| problem("key_malformed", "not 32 bytes in bech32"))?;
            let canonical = bech32::encode::<Bech32>(Hrp::parse_unchecked("npub"), &x);
            ensure(canonical.is_ok_and(|text| text == npub), "key_malformed", "not an npub")?;
            Ok(Primary::Nostr(x))
        }
        _ => Err(problem("key_malformed", "not a primary of a known system")),
    }
}

fn admit(digits: &str) -> Result<Primary> {
    ensure(
        is_hex(digits, 64),
        "key_malformed",
        "not 64 lower-case hexadecimal digits",
    )?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| problem("key_malformed", "not hexadecimal"))?;
    let point = CompressedEdwardsY(bytes)
        .decompress()
        .filter(|point| point.compress().0 == bytes && !point.is_small_order() && point.is_torsion_free())
        .ok_or_else(|| problem("key_rejected", "not a point of prime order in its canonical encoding"))?;
    Ok(Primary::Ed25519(bytes, point))
}

impl Primary {
    pub fn algorithm(&self) -> &'static str {
        match self {
            Primary::Ed25519(..) => "ed25519-sha512-jcs",
            Primary::Nostr(_) => "nostr-secp256k1-schnorr-sha256-jcs",
        }
    }

    /// Verifies a signature in hexadecimal over canonical text; `plain` signs the text and not its digest.
    pub fn verify(&self, text: &str, signature: &str, plain: bool) -> Result<()> {
        let mut bytes = [0; 64];
        let holds = hex::decode_to_slice(signature, &mut bytes).is_ok()
            && match self {
                Primary::Ed25519(key, point) if plain => verify_ed25519(key, point, text.as_bytes(), &bytes),
                Primary::Ed25519(key, point) => verify_ed25519(key, point, &Sha512::digest(text), &bytes),
                Primary::Nostr(x) => verify_schnorr(x, &Sha256::digest(text), &bytes),
            };
        ensure(holds, "signature_invalid", "the signature does not verify")
    }
}

/// The cofactorless equation, compared as bytes.
fn verify_ed25519(key: &[u8; 32], point: &EdwardsPoint, message: &[u8], signature: &[u8; 64]) -> bool {
    let (r, s) = signature.split_at(32);
    let s = s.try_into().ok().and_then(|s| Scalar::from_canonical_bytes(s).into());
    let Some(s): Option<Scalar> = s else { return false };
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-point, &s);
    expected.compress().as_bytes() == r
}

fn verify_schnorr(x: &[u8; 32], digest: &[u8], signature: &[u8]) -> bool {
    schnorr::VerifyingKey::from_bytes(x)
        .and_then(|key| key.verify_raw(digest, &schnorr::Signature::try_from(signature)?))
        .is_ok()
}
