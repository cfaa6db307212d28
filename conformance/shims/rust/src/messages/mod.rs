//! Messages: encryption, seal, receiving, and what a client makes of them.
pub mod body;
pub mod contact;
pub mod hpke;
pub mod inbox;
pub mod message;
pub mod padding;
