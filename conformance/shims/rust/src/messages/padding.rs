//! Padding (KEZ-DM-009, KEZ-DM-010).
use crate::problem::{ensure, Code, Result};

pub const BODY_LIMIT: usize = 40_960;

/// The length function of NIP-44 version 2, for a body of `n` bytes.
fn padded(n: usize) -> usize {
    let power = n.next_power_of_two();
    let step = if power <= 256 { 32 } else { power / 8 };
    n.div_ceil(step).max(1) * step
}

/// The length of the plaintext of a body of `n` bytes.
pub fn plaintext_length(n: usize) -> usize {
    4 + padded(n)
}

pub fn pad(body: &[u8]) -> Vec<u8> {
    let mut plaintext = Vec::with_capacity(plaintext_length(body.len()));
    plaintext.extend_from_slice(&(body.len() as u32).to_be_bytes());
    plaintext.extend_from_slice(body);
    plaintext.resize(plaintext_length(body.len()), 0);
    plaintext
}

pub fn unpad(plaintext: &[u8]) -> Result<&[u8]> {
    let invalid = Code::PaddingInvalid;
    let (length, rest) = plaintext
        .split_first_chunk::<4>()
        .ok_or_else(|| invalid.because("no length"))?;
    let n = u32::from_be_bytes(*length) as usize;
    ensure(
        (1..=BODY_LIMIT).contains(&n),
        invalid,
        "a body of no byte or more than 40,960",
    )?;
    ensure(
        plaintext.len() == plaintext_length(n),
        invalid,
        "another length than that of the padding",
    )?;
    let (body, zeros) = rest.split_at(n);
    ensure(zeros.iter().all(|byte| *byte == 0), invalid, "padding that is not zero")?;
    Ok(body)
}
