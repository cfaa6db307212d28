//! The broker: login, subjects, requests, pages, positions.
pub mod login;
pub mod page;
pub mod positions;
pub mod requests;
