//! The operations of the vectors: `input` in, `result` out.
mod chat;
mod client;
mod files;
mod identity;
mod statements;

use crate::data::forms;
use crate::identity::keys::Seed;
use crate::problem::Problem;
use serde_json::Value;

/// Why an operation has no result.
pub enum Failure {
    /// The input was refused.
    Refused(Problem),
    /// The suite asked in a form that this program does not know.
    Unexpected(String),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

pub type Answer = Result<Value, Failure>;
pub type Operation = fn(Args<'_>) -> Answer;

/// The `input` of a case.
#[derive(Clone, Copy)]
pub struct Args<'a>(pub &'a Value);

impl<'a> Args<'a> {
    pub fn get(&self, name: &str) -> Result<&'a Value, Failure> {
        self.0
            .get(name)
            .ok_or_else(|| Failure::Unexpected(format!("no argument {name}")))
    }

    pub fn optional(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    fn typed<T>(name: &str, value: Option<T>) -> Result<T, Failure> {
        value.ok_or_else(|| Failure::Unexpected(format!("an argument {name} of another type")))
    }

    pub fn text(&self, name: &str) -> Result<&'a str, Failure> {
        Self::typed(name, self.get(name)?.as_str())
    }

    pub fn integer(&self, name: &str) -> Result<u64, Failure> {
        Self::typed(name, self.get(name)?.as_u64())
    }

    pub fn hex(&self, name: &str) -> Result<Vec<u8>, Failure> {
        Ok(forms::from_hex(self.text(name)?)?)
    }

    pub fn base64url(&self, name: &str) -> Result<Vec<u8>, Failure> {
        Ok(forms::from_base64url(self.text(name)?)?)
    }

    pub fn seed(&self) -> Result<Seed, Failure> {
        Ok(Seed::new(forms::hex_array(self.text("seed")?)?))
    }

    pub fn array(&self, name: &str) -> Result<&'a [Value], Failure> {
        Self::typed(name, self.get(name)?.as_array().map(Vec::as_slice))
    }

    pub fn texts(&self, name: &str) -> Result<Vec<&'a str>, Failure> {
        self.array(name)?
            .iter()
            .map(|item| Self::typed(name, item.as_str()))
            .collect()
    }
}

/// All operations by name.
pub fn all() -> impl Iterator<Item = &'static (&'static str, Operation)> {
    identity::OPERATIONS
        .iter()
        .chain(statements::OPERATIONS)
        .chain(chat::OPERATIONS)
        .chain(files::OPERATIONS)
        .chain(client::OPERATIONS)
}
