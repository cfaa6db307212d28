//! Whole clients.
use super::{Answer, Args, Failure, Operation};
use crate::client;

macro_rules! operations {
    ($($name:literal,)*) => {
        &[
            ("client.open", |args| Ok(client::open(args.text("id")?, args.0)?)),
            ("client.close", |args| Ok(client::close(args.text("id")?)?)),
            $((concat!("client.", $name), |args| ask(args, $name)),)*
        ]
    };
}

pub const OPERATIONS: &[(&str, Operation)] = operations![
    "sync",
    "connection",
    "add",
    "contacts",
    "refresh",
    "accept",
    "keep",
    "confirm",
    "block",
    "unblock",
    "safetyNumber",
    "send",
    "messages",
    "markRead",
    "trim",
    "manifest",
    "clock",
];

fn ask(args: Args<'_>, operation: &str) -> Answer {
    Ok(client::ask(args.text("id")?, operation, args.0)?)
}

impl From<client::Failure> for Failure {
    fn from(failure: client::Failure) -> Self {
        match failure {
            client::Failure::Refused(problem) => Self::Refused(problem),
            client::Failure::Gone => Self::Unexpected("the client has ended; standard error says why".into()),
        }
    }
}
