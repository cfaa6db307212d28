// Package problem has the codes with which input is refused (spec: errors.md).
package problem

// Code is one of the specification's codes. As an error it says that the input is refused.
type Code string

func (c Code) Error() string { return string(c) }

const (
	JSONMalformed        Code = "json_malformed"
	JSONDuplicateName    Code = "json_duplicate_name"
	JSONNumber           Code = "json_number"
	JSONString           Code = "json_string"
	JSONDepth            Code = "json_depth"
	EncodingMalformed    Code = "encoding_malformed"
	TooLarge             Code = "too_large"
	KeyMalformed         Code = "key_malformed"
	KeyRejected          Code = "key_rejected"
	MnemonicInvalid      Code = "mnemonic_invalid"
	HandleMalformed      Code = "handle_malformed"
	IdentifierMalformed  Code = "identifier_malformed"
	TimestampMalformed   Code = "timestamp_malformed"
	EnvelopeMalformed    Code = "envelope_malformed"
	EnvelopeKind         Code = "envelope_kind"
	SignatureInvalid     Code = "signature_invalid"
	AlgorithmUnsupported Code = "algorithm_unsupported"
	EventMalformed       Code = "event_malformed"
	ChainConflict        Code = "chain_conflict"
	ChainFull            Code = "chain_full"
	ChainTerminated      Code = "chain_terminated"
	ChainFork            Code = "chain_fork"
	ChainRollback        Code = "chain_rollback"
	WrongServer          Code = "wrong_server"
	ClockSkew            Code = "clock_skew"
	RecordInvalid        Code = "record_invalid"
	AddressForbidden     Code = "address_forbidden"
	FrameMalformed       Code = "frame_malformed"
	FrameUnreadable      Code = "frame_unreadable"
	MessageMalformed     Code = "message_malformed"
	MessageMisdirected   Code = "message_misdirected"
	MessageUndecryptable Code = "message_undecryptable"
	MessageTooLarge      Code = "message_too_large"
	PaddingInvalid       Code = "padding_invalid"
	SuiteUnsupported     Code = "suite_unsupported"
	PageMalformed        Code = "page_malformed"
	BlobMismatch         Code = "blob_mismatch"
	BlobIncomplete       Code = "blob_incomplete"
	FileUndecryptable    Code = "file_undecryptable"
	ContentKeyInvalid    Code = "content_key_invalid"
	TicketMalformed      Code = "ticket_malformed"
	TicketMismatch       Code = "ticket_mismatch"
	ManifestMalformed    Code = "manifest_malformed"
	ManifestMismatch     Code = "manifest_mismatch"
	ManifestRollback     Code = "manifest_rollback"
	ManifestConflict     Code = "manifest_conflict"
	LoginRefused         Code = "login_refused"
	RequestMalformed     Code = "request_malformed"

	// ZeroSharedSecret is no code of the protocol: it is found inside a library, and named by the vectors alone.
	ZeroSharedSecret Code = "zero_shared_secret"
)
