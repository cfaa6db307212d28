//! Encryption of files and wrapped content keys (KEZ-FIL-001 to KEZ-FIL-006).
use crate::data::forms;
use crate::identity::keys::{PublicKey, Seed};
use crate::messages::hpke;
use crate::problem::{ensure, Code, Result};

const CHUNK: usize = 65_536;
const TAG: usize = 16;
const WRAP_INFO: &str = "kez.file.key/1";

fn nonce(index: usize, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(index as u64).to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}

fn chunks_of(size: usize) -> usize {
    size.div_ceil(CHUNK).max(1)
}

pub fn encrypt(key: &[u8; 32], file: &[u8]) -> Vec<u8> {
    let count = chunks_of(file.len());
    let seal = |index: usize| {
        let chunk = &file[index * CHUNK..file.len().min((index + 1) * CHUNK)];
        hpke::encrypt(key, &nonce(index, index + 1 == count), b"", chunk)
    };
    (0..count).flat_map(seal).collect()
}

pub fn decrypt(key: &[u8; 32], size: u64, blob: &[u8]) -> Result<Vec<u8>> {
    let count = chunks_of(blob.len().saturating_sub(TAG * blob.len().div_ceil(CHUNK + TAG)));
    let expected = size.checked_add((count * TAG) as u64);
    let sized = expected == Some(blob.len() as u64) && chunks_of(size as usize) == count;
    ensure(
        sized,
        Code::FileUndecryptable,
        "another length than that of the stated size",
    )?;
    let mut file = Vec::with_capacity(blob.len());
    for (index, chunk) in blob.chunks(CHUNK + TAG).enumerate() {
        let nonce = nonce(index, index + 1 == count);
        file.extend(hpke::decrypt(key, &nonce, b"", chunk, Code::FileUndecryptable)?);
    }
    Ok(file)
}

fn wrap_aad(blob_hash: &[u8; 32], owner: &PublicKey, reader: &PublicKey) -> Vec<u8> {
    [blob_hash, owner.bytes(), reader.bytes().as_slice()].concat()
}

/// A content key for one reader; `ephemeral` is a fresh random private key.
pub fn wrap(
    key: &[u8; 32],
    blob_hash: &[u8; 32],
    owner: &PublicKey,
    reader: &PublicKey,
    ephemeral: [u8; 32],
) -> Result<String> {
    let sealed = hpke::seal(reader, ephemeral, WRAP_INFO, &wrap_aad(blob_hash, owner, reader), key)?;
    Ok(forms::base64url(&[sealed.enc.as_slice(), &sealed.ct].concat()))
}

pub fn unwrap(seed: &Seed, blob_hash: &[u8; 32], owner: &PublicKey, wrapped: &str) -> Result<[u8; 32]> {
    let invalid = || Code::ContentKeyInvalid.because("not a wrapped key of 80 bytes");
    let wrapped: [u8; 80] = forms::from_base64url(wrapped)?.try_into().map_err(|_| invalid())?;
    let (enc, ct) = wrapped.split_first_chunk().ok_or_else(invalid)?;
    let aad = wrap_aad(blob_hash, owner, &seed.public_key());
    let key = hpke::open(seed, enc, WRAP_INFO, &aad, ct, Code::ContentKeyInvalid)?;
    key.try_into().map_err(|_| invalid())
}
