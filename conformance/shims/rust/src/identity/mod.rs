//! Keys, the words that restore them, the names that stand for them.
pub mod handle;
pub mod identifier;
pub mod keys;
pub mod mnemonic;
pub mod nkey;
pub mod primary;
pub mod safety_number;
