//! Safety numbers (KEZ-KEY-013, KEZ-KEY-014).
use super::keys::PublicKey;
use crate::data::forms;
use crate::problem::{Code, Result};
use sha2::{Digest, Sha512};

const QR_PREFIX: &str = "kez:sn1:";

pub fn digest(a: &PublicKey, b: &PublicKey) -> [u8; 64] {
    let (lesser, greater) = if a.bytes() <= b.bytes() { (a, b) } else { (b, a) };
    let hash = Sha512::new().chain_update("kez.chat.safety-number/1\0");
    hash.chain_update(lesser.bytes())
        .chain_update(greater.bytes())
        .finalize()
        .into()
}

/// Twelve groups of five digits.
pub fn number(digest: &[u8; 64]) -> String {
    let group = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)) % 100_000;
    let groups: Vec<String> = digest
        .chunks(5)
        .take(12)
        .map(|bytes| format!("{:05}", group(bytes)))
        .collect();
    groups.join(" ")
}

pub fn qr(digest: &[u8; 64]) -> String {
    format!("{QR_PREFIX}{}", forms::base64url(digest))
}

pub fn parse_qr(text: &str) -> Result<[u8; 64]> {
    let digits = text
        .strip_prefix(QR_PREFIX)
        .ok_or_else(|| Code::EncodingMalformed.because("no safety number"))?;
    forms::base64url_array(digits)
}
