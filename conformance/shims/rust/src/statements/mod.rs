//! Signed statements: envelopes and their encodings, claims, sigchains, registrations.
pub mod addresses;
pub mod claim;
pub mod encodings;
pub mod envelope;
pub mod registration;
pub mod sigchain;
pub mod zstd;
