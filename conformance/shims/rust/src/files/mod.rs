//! Files: tickets.
pub mod ticket;
