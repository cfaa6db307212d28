//! Handles (KEZ-REG-001 to KEZ-REG-003).
use crate::problem::{ensure, Code, Result};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    pub local: String,
    pub server: String,
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.server)
    }
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_local(text: &str) -> bool {
    (3..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| is_alphanumeric(byte) || matches!(byte, b'_' | b'-'))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| is_alphanumeric(byte) || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A DNS name in lower case whose last label is no number.
pub fn is_server(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(is_label)
        && text
            .rsplit('.')
            .next()
            .is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Handle {
    pub fn new(local: &str, server: &str) -> Result<Self> {
        ensure(is_local(local), Code::HandleMalformed, "not a local part")?;
        ensure(is_server(server), Code::HandleMalformed, "not a server part")?;
        Ok(Self {
            local: local.into(),
            server: server.into(),
        })
    }

    pub fn parse(text: &str) -> Result<Self> {
        let (local, server) = text
            .split_once('@')
            .ok_or_else(|| Code::HandleMalformed.because("no @"))?;
        Self::new(local, server)
    }

    /// What a person typed; a name alone is one of their own home server.
    pub fn parse_mention(text: &str, home: &str) -> Result<Self> {
        let text = text.strip_prefix('@').unwrap_or(text);
        let (local, server) = text.split_once('@').unwrap_or((text, home));
        Self::new(local, server)
    }
}
