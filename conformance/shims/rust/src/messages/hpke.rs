//! HPKE, RFC 9180: mode Base, single-shot, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
use crate::identity::keys::{agree, x25519_public, PublicKey, Seed};
use crate::problem::{Code, Problem, Result};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::ChaCha20Poly1305;
use hkdf::Hkdf;
use sha2::Sha256;

const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x03";

/// Values on the way, by their names in RFC 9180.
pub struct Sealed {
    pub enc: [u8; 32],
    pub dh: [u8; 32],
    pub context: Context,
    pub ct: Vec<u8>,
}

pub struct Context {
    pub shared_secret: [u8; 32],
    pub key: [u8; 32],
    pub base_nonce: [u8; 12],
}

/// HKDF-SHA256, RFC 5869.
pub fn hkdf<const L: usize>(ikm: &[u8], salt: &[u8], info: &[u8]) -> [u8; L] {
    expand(&Hkdf::<Sha256>::new(Some(salt), ikm), &[info])
}

fn expand<const L: usize>(prk: &Hkdf<Sha256>, info: &[&[u8]]) -> [u8; L] {
    let mut okm = [0; L];
    prk.expand_multi_info(info, &mut okm)
        .expect("a length below 255 hashes");
    okm
}

fn labeled_extract(suite: &[u8], salt: &[u8], label: &str, ikm: &[u8]) -> ([u8; 32], Hkdf<Sha256>) {
    let labeled = [b"HPKE-v1", suite, label.as_bytes(), ikm].concat();
    let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(salt), &labeled);
    (prk.into(), hkdf)
}

fn labeled_expand<const L: usize>(suite: &[u8], prk: &Hkdf<Sha256>, label: &str, info: &[u8]) -> [u8; L] {
    expand(
        prk,
        &[&(L as u16).to_be_bytes(), b"HPKE-v1", suite, label.as_bytes(), info],
    )
}

fn context(dh: &[u8; 32], enc: &[u8; 32], reader: &[u8; 32], info: &str) -> Context {
    let (_, eae_prk) = labeled_extract(KEM, b"", "eae_prk", dh);
    let shared_secret = labeled_expand(KEM, &eae_prk, "shared_secret", &[*enc, *reader].concat());
    let (psk_id_hash, _) = labeled_extract(SUITE, b"", "psk_id_hash", b"");
    let (info_hash, _) = labeled_extract(SUITE, b"", "info_hash", info.as_bytes());
    let schedule = [&[0], psk_id_hash.as_slice(), &info_hash].concat();
    let (_, secret) = labeled_extract(SUITE, &shared_secret, "secret", b"");
    let key = labeled_expand(SUITE, &secret, "key", &schedule);
    Context {
        shared_secret,
        key,
        base_nonce: labeled_expand(SUITE, &secret, "base_nonce", &schedule),
    }
}

/// ChaCha20-Poly1305, RFC 8439: ct || tag16.
pub fn encrypt(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher
        .encrypt(nonce.into(), Payload { msg, aad })
        .expect("a message below 256 GiB")
}

/// Refuses with `code` what does not verify.
pub fn decrypt(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], msg: &[u8], code: Code) -> Result<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new(key.into());
    cipher
        .decrypt(nonce.into(), Payload { msg, aad })
        .map_err(|_| code.because("the tag does not verify"))
}

/// Seals to an account; `ephemeral` is a fresh random private key.
pub fn seal(reader: &PublicKey, ephemeral: [u8; 32], info: &str, aad: &[u8], plaintext: &[u8]) -> Result<Sealed> {
    let reader = reader.x25519()?;
    let enc = x25519_public(ephemeral);
    let dh = agree(ephemeral, reader)?;
    let context = context(&dh, &enc, &reader, info);
    let ct = encrypt(&context.key, &context.base_nonce, aad, plaintext);
    Ok(Sealed { enc, dh, context, ct })
}

/// Opens what was sealed to the account of `seed`; whatever fails has the one `code`.
pub fn open(seed: &Seed, enc: &[u8; 32], info: &str, aad: &[u8], ct: &[u8], code: Code) -> Result<Vec<u8>> {
    let hidden = |problem: Problem| code.because(problem.message);
    let dh = seed.agree_with_ephemeral(*enc).map_err(hidden)?;
    let context = context(&dh, enc, &seed.public_key().x25519().map_err(hidden)?, info);
    decrypt(&context.key, &context.base_nonce, aad, ct, code)
}
