//! Data forms: strict JSON and its canonical form, bytes as text, times.
pub mod forms;
pub mod jcs;
pub mod members;
pub mod strict_json;
