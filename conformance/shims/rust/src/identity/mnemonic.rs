//! Words (KEZ-MNE-001 to KEZ-MNE-006). No message repeats a word.
use super::keys::Seed;
use crate::data::forms::is_white_space;
use crate::problem::{ensure, Code, Result};
use bip39::{Language, Mnemonic};
use sha2::{Digest, Sha256};

/// The seed of 24 words, or of KEZ's 12.
pub fn to_seed(text: &str) -> Result<[u8; 32]> {
    let words: Vec<String> = text
        .split(is_white_space)
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    ensure(
        matches!(words.len(), 12 | 24),
        Code::MnemonicInvalid,
        "neither 24 nor 12 words",
    )?;
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &words.join(" "))
        .map_err(|_| Code::MnemonicInvalid.because("a word that is not in the list, or a wrong checksum"))?;
    let entropy = mnemonic.to_entropy();
    Ok(match <[u8; 32]>::try_from(entropy.as_slice()) {
        Ok(seed) => seed,
        Err(_) => Sha256::new()
            .chain_update("kez-bip39-12-v1")
            .chain_update(&entropy)
            .finalize()
            .into(),
    })
}

pub fn public_key(seed: [u8; 32]) -> [u8; 32] {
    *Seed::new(seed).public_key().bytes()
}
