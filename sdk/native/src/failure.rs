//! Errors as JavaScript sees them.
use iroh::endpoint::VarInt;
use napi::{bindgen_prelude::BigInt, Error, Result, Status};
use std::fmt::Debug;

/// An error of Iroh in the words of its `Debug`, from which callers read codes: `Reset(1)`, `Stopped(1)`,
/// `reason: b"limit"`.
pub fn failed(error: impl Debug) -> Error {
    Error::from_reason(format!("{error:?}"))
}

/// A value that the called function does not take.
pub fn invalid(what: &str) -> Error {
    Error::new(Status::InvalidArg, what)
}

/// A QUIC integer: less than 2^62, not negative.
pub fn quic_integer(value: BigInt) -> Result<VarInt> {
    let (negative, value, lossless) = value.get_u64();
    match VarInt::from_u64(value) {
        Ok(number) if lossless && !negative => Ok(number),
        _ => Err(invalid("not an integer from 0 to 2^62 - 1")),
    }
}
