//! What a decoder refuses: a code of the specification's table, and why.
use std::borrow::Cow;

macro_rules! codes {
    ($($name:ident = $text:literal,)*) => {
        /// The codes that the operations of this crate answer with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($name,)* }

        impl Code {
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    AddressForbidden = "address_forbidden",
    AlgorithmUnsupported = "algorithm_unsupported",
    BlobIncomplete = "blob_incomplete",
    BlobMismatch = "blob_mismatch",
    ChainConflict = "chain_conflict",
    ChainFork = "chain_fork",
    ChainFull = "chain_full",
    ChainRollback = "chain_rollback",
    ChainTerminated = "chain_terminated",
    ClockSkew = "clock_skew",
    ContentKeyInvalid = "content_key_invalid",
    EncodingMalformed = "encoding_malformed",
    EnvelopeKind = "envelope_kind",
    EnvelopeMalformed = "envelope_malformed",
    EventMalformed = "event_malformed",
    FileUndecryptable = "file_undecryptable",
    FrameMalformed = "frame_malformed",
    FrameUnreadable = "frame_unreadable",
    HandleMalformed = "handle_malformed",
    IdentifierMalformed = "identifier_malformed",
    JsonDepth = "json_depth",
    JsonDuplicateName = "json_duplicate_name",
    JsonMalformed = "json_malformed",
    JsonNumber = "json_number",
    JsonString = "json_string",
    KeyMalformed = "key_malformed",
    KeyRejected = "key_rejected",
    LoginRefused = "login_refused",
    ManifestConflict = "manifest_conflict",
    ManifestMalformed = "manifest_malformed",
    ManifestMismatch = "manifest_mismatch",
    ManifestRollback = "manifest_rollback",
    MessageMalformed = "message_malformed",
    MessageMisdirected = "message_misdirected",
    MessageTooLarge = "message_too_large",
    MessageUndecryptable = "message_undecryptable",
    MnemonicInvalid = "mnemonic_invalid",
    PaddingInvalid = "padding_invalid",
    PageMalformed = "page_malformed",
    RecordInvalid = "record_invalid",
    RequestMalformed = "request_malformed",
    SignatureInvalid = "signature_invalid",
    SuiteUnsupported = "suite_unsupported",
    TicketMalformed = "ticket_malformed",
    TicketMismatch = "ticket_mismatch",
    TimestampMalformed = "timestamp_malformed",
    TooLarge = "too_large",
    WrongServer = "wrong_server",
    ZeroSharedSecret = "zero_shared_secret",
}

impl Code {
    pub fn because(self, message: impl Into<Cow<'static, str>>) -> Problem {
        Problem {
            code: self,
            message: message.into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", code.text())]
pub struct Problem {
    pub code: Code,
    pub message: Cow<'static, str>,
}

pub type Result<T> = std::result::Result<T, Problem>;

/// Refuses with `code` unless `condition` holds.
pub fn ensure(condition: bool, code: Code, message: &'static str) -> Result<()> {
    if condition {
        Ok(())
    } else {
        Err(code.because(message))
    }
}
