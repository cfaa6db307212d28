//! Ed25519 and X25519 of an account (KEZ-KEY-006 to KEZ-KEY-012).
use crate::problem::{ensure, Code, Result};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::montgomery::MontgomeryPoint;
use curve25519_dalek::scalar::{clamp_integer, Scalar};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha512};

/// An admitted Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub fn admit(bytes: [u8; 32]) -> Result<Self> {
        let rejected = |message| Code::KeyRejected.because(message);
        let point = CompressedEdwardsY(bytes)
            .decompress()
            .ok_or_else(|| rejected("not a point of the curve"))?;
        ensure(
            point.compress().to_bytes() == bytes,
            Code::KeyRejected,
            "not the canonical encoding of its point",
        )?;
        ensure(!point.is_small_order(), Code::KeyRejected, "a point of small order")?;
        ensure(
            point.is_torsion_free(),
            Code::KeyRejected,
            "a point with a torsion component",
        )?;
        Ok(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn point(&self) -> Result<EdwardsPoint> {
        CompressedEdwardsY(self.0)
            .decompress()
            .ok_or_else(|| Code::KeyRejected.because("not a point of the curve"))
    }

    /// The X25519 image of the key.
    pub fn x25519(&self) -> Result<[u8; 32]> {
        Ok(self.point()?.to_montgomery().to_bytes())
    }

    /// The cofactorless equation, compared as bytes (KEZ-KEY-008).
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let invalid = |message| Code::SignatureInvalid.because(message);
        let signature: &[u8; 64] = signature.try_into().map_err(|_| invalid("not 64 bytes"))?;
        let (r, s) = signature.split_at(32);
        let s: [u8; 32] = s.try_into().map_err(|_| invalid("not 64 bytes"))?;
        let s: Option<Scalar> = Scalar::from_canonical_bytes(s).into();
        let s = s.ok_or_else(|| invalid("S is not below the order of the base point"))?;
        let hash = Sha512::new().chain_update(r).chain_update(self.0).chain_update(message);
        let k = Scalar::from_hash(hash);
        let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-self.point()?, &s);
        ensure(
            expected.compress().as_bytes() == r,
            Code::SignatureInvalid,
            "R is not that of the equation",
        )
    }
}

/// The secret of an account. It has no `Debug`, so that it gets into no log.
pub struct Seed([u8; 32]);

impl Seed {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey(SigningKey::from_bytes(&self.0).verifying_key().to_bytes())
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        SigningKey::from_bytes(&self.0).sign(message).to_bytes()
    }

    fn x25519(&self) -> [u8; 32] {
        let digest: [u8; 64] = Sha512::digest(self.0).into();
        let mut scalar = [0; 32];
        scalar.copy_from_slice(&digest[..32]);
        clamp_integer(scalar)
    }

    /// The secret shared with another account.
    pub fn agree(&self, peer: &PublicKey) -> Result<[u8; 32]> {
        agree(self.x25519(), peer.x25519()?)
    }

    /// The secret shared with an X25519 key that nobody admitted.
    pub fn agree_with_ephemeral(&self, public: [u8; 32]) -> Result<[u8; 32]> {
        agree(self.x25519(), public)
    }
}

/// X25519, which refuses a secret of zeros.
pub fn agree(private: [u8; 32], public: [u8; 32]) -> Result<[u8; 32]> {
    let secret = MontgomeryPoint(public).mul_clamped(private).to_bytes();
    ensure(secret != [0; 32], Code::ZeroSharedSecret, "an X25519 secret of zeros")?;
    Ok(secret)
}

/// The X25519 public key of a private key.
pub fn x25519_public(private: [u8; 32]) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(private).to_bytes()
}
