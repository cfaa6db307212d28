//! A public key in NATS's text form (KEZ-NAT-004).
use super::keys::PublicKey;
use crate::problem::{ensure, Code, Result};
use data_encoding::BASE32_NOPAD;

const USER_PREFIX: u8 = 0xa0;

pub fn nkey(key: &PublicKey) -> String {
    let mut bytes = vec![USER_PREFIX];
    bytes.extend_from_slice(key.bytes());
    let crc = crc16(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    BASE32_NOPAD.encode(&bytes)
}

pub fn parse(text: &str) -> Result<PublicKey> {
    let bytes = BASE32_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| Code::KeyMalformed.because("not canonical base32"))?;
    ensure(
        text.len() == 56 && bytes.len() == 35,
        Code::KeyMalformed,
        "not 56 characters",
    )?;
    ensure(bytes[0] == USER_PREFIX, Code::KeyMalformed, "not the nkey of a user")?;
    ensure(
        crc16(&bytes[..33]).to_le_bytes() == bytes[33..],
        Code::KeyMalformed,
        "a wrong checksum",
    )?;
    let mut key = [0; 32];
    key.copy_from_slice(&bytes[1..33]);
    PublicKey::admit(key)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            crc << 1 ^ if crc & 0x8000 != 0 { 0x1021 } else { 0 }
        })
    })
}
