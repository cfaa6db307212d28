//! Files: encryption, tickets, verified streaming, and the manifest that lists them.
pub mod blob;
pub mod encryption;
pub mod manifest;
pub mod ranges;
pub mod reader;
pub mod request;
pub mod shared_file;
pub mod ticket;
