//! What a decoder refuses: a code of the specification's table, and why.
use std::borrow::Cow;

macro_rules! codes {
    ($($name:ident = $text:literal,)*) => {
        /// The codes that the operations answer with, or that servers answer a client with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($name,)* }

        impl Code {
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Code::$name),)* _ => None }
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
    ChainNotFound = "chain_not_found",
    ChainRollback = "chain_rollback",
    ChainTerminated = "chain_terminated",
    ClockSkew = "clock_skew",
    ContactUnreachable = "contact_unreachable",
    ContentKeyInvalid = "content_key_invalid",
    EncodingMalformed = "encoding_malformed",
    EnvelopeKind = "envelope_kind",
    EnvelopeMalformed = "envelope_malformed",
    EventMalformed = "event_malformed",
    FederationUnsupported = "federation_unsupported",
    FileNotFound = "file_not_found",
    FileUndecryptable = "file_undecryptable",
    FrameMalformed = "frame_malformed",
    FrameUnreadable = "frame_unreadable",
    HandleDeleted = "handle_deleted",
    HandleMalformed = "handle_malformed",
    HandleNotFound = "handle_not_found",
    HandleReserved = "handle_reserved",
    HandleTaken = "handle_taken",
    IdentifierMalformed = "identifier_malformed",
    Internal = "internal",
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
    ManifestNotFound = "manifest_not_found",
    ManifestRollback = "manifest_rollback",
    MediaTypeUnsupported = "media_type_unsupported",
    MessageMalformed = "message_malformed",
    MessageMisdirected = "message_misdirected",
    MessageTooLarge = "message_too_large",
    MessageUndecryptable = "message_undecryptable",
    MethodNotAllowed = "method_not_allowed",
    MnemonicInvalid = "mnemonic_invalid",
    NoContentKey = "no_content_key",
    NotFound = "not_found",
    NotLocal = "not_local",
    PaddingInvalid = "padding_invalid",
    PageMalformed = "page_malformed",
    PrimaryTaken = "primary_taken",
    RateLimited = "rate_limited",
    RecordInvalid = "record_invalid",
    RequestMalformed = "request_malformed",
    RequestTimeout = "request_timeout",
    SignatureInvalid = "signature_invalid",
    StoreFull = "store_full",
    SuiteUnsupported = "suite_unsupported",
    TicketMalformed = "ticket_malformed",
    TicketMismatch = "ticket_mismatch",
    TimestampMalformed = "timestamp_malformed",
    TooLarge = "too_large",
    Unauthorized = "unauthorized",
    Unavailable = "unavailable",
    UriTooLong = "uri_too_long",
    WrongServer = "wrong_server",
    ZeroSharedSecret = "zero_shared_secret",
    // Refusals of the home server on the broker.
    Bad = "bad",
    Full = "full",
    Retry = "retry",
    Size = "size",
    Slow = "slow",
    Unknown = "unknown",
    // What a client answers its user.
    ContactUnknown = "contact_unknown",
    KeyRefused = "key_refused",
    SendStopped = "send_stopped",
    Unreachable = "unreachable",
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
