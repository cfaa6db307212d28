//! Iroh for Node with bytes as typed arrays: the part of `@number0/iroh` that the files of kez-chat use, under the same
//! names; and the answers of iroh-blobs on its streams, verified here. Who may have what is decided by whoever calls.
//!
//! A panic rejects the promise of the call (in a future) or throws (elsewhere, by `catch_unwind`): it never ends the
//! process. Bytes are copied on the calling thread, because JavaScript may change its memory while a future runs.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod answer;
mod connection;
mod decoder;
mod encoder;
mod endpoint;
mod failure;
mod stream;
mod tree;

/// Raised with every change of what is exported here; `Binding.ts` of the SDK names the one that it uses.
#[napi_derive::napi]
pub const INTERFACE_VERSION: u32 = 1;
