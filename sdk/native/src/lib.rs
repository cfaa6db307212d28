//! Iroh for Node with bytes as typed arrays: the part of `@number0/iroh` that the files of kez-chat use, under the same
//! names. Everything here moves bytes; what may be sent, fetched or believed is decided by whoever calls.
//!
//! A panic rejects the promise of the call (in a future) or throws (elsewhere, by `catch_unwind`): it never ends the
//! process. Bytes are copied on the calling thread, because JavaScript may change its memory while a future runs.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod connection;
mod endpoint;
mod failure;
mod stream;
