/** What a peer must accept: a change is one of the protocol. Operators' limits are in the server's configuration. */

/** Bytes of a seed, of a public key and of an X25519 or content key. */
export const keyBytes = 32
/** Bytes of an Ed25519 signature (RFC 8032). */
export const signatureBytes = 64
/** Nesting depth of containers in signed JSON, the outermost included. */
export const jsonDepth = 16
/** Bytes of a claim or any single proof, after decompression. */
export const proofBytes = 64 * 1024
/** Bytes of one sigchain event's envelope as JCS. */
export const eventBytes = 64 * 1024
/** Bytes of a whole chain, one JCS envelope a line, and of a decompressed bundle. */
export const chainBytes = 4 * 1024 * 1024
/** Reserved bytes at the end of a chain, which admit only `rotate`, `revoke` and `remove_*`. */
export const chainReserve = 256 * 1024
/** Bytes of a registration or deletion statement as received. */
export const registrationBytes = 8 * 1024
/** Bytes of a transfer as received: two statements. */
export const transferBytes = 16 * 1024

/** Bytes of a report as received. */
export const reportBytes = 256 * 1024
/** Messages in a report. */
export const reportMessages = 16
/** Characters of a report's note. */
export const reportNoteCharacters = 2_000

/** Characters of a handle's local part. */
export const handleMin = 3
export const handleMax = 32
/** Characters of a server name (RFC 1035 section 2.3.4) and of one label in it. */
export const serverNameMax = 253
export const serverLabelMax = 63
/** Characters of an identifier, `system:identifier`. */
export const identifierMax = 512
/** Characters of a web URL inside an identifier, an endpoint or a server's answer. */
export const urlMax = 512

/** Maximum distance of a registration's or deletion's `created_at` from the server's clock, in milliseconds. */
export const statementWindowMillis = 5 * 60 * 1000
/** A message created longer than this before its arrival is marked suspicious, in milliseconds. */
export const messageAgeMillis = 30 * 24 * 60 * 60 * 1000
/** A message created later than this after its arrival is marked suspicious, in milliseconds. */
export const messageAheadMillis = 10 * 60 * 1000

/** Bytes of a message id, a device id, an entry id and a `Kez-Id`; 22 base64url characters each. */
export const idBytes = 16
export const idCharacters = 22
/** Bytes of a message's salt. */
export const saltBytes = 32
/** Bytes of a message body as JCS, before padding. */
export const bodyBytes = 40_960
/** Ids in one receipt. */
export const receiptIds = 128
/** Introductions that one account may have open to another, and how long one counts, in milliseconds. */
export const introductionsOpen = 5
export const introductionMillis = 7 * 24 * 60 * 60 * 1000
/** Bytes of a thumbnail in a `file_share`. */
export const thumbnailBytes = 8 * 1024
/** Bytes of a sealed frame. */
export const frameBytes = 65_536
/** Bytes of a ChaCha20-Poly1305 tag and nonce (RFC 8439). */
export const tagBytes = 16
export const aeadNonceBytes = 12

/** Frames on one page of the inbox, and the maximum bytes requested from the broker. */
export const pageFrames = 512
export const pageBytes = 700_000
/** Bytes of one message on the broker, header included (its `max_payload`): the maximum size of a page. */
export const brokerPayloadBytes = 1_048_576
/** Unanswered sends and fetches that a client may have on one connection (spec KEZ-NAT-054). */
export const sendsUnanswered = 64
export const fetchesUnanswered = 8
/** Bytes of the JSON of a fetch, trim or block request, and of the answer to the latter two. */
export const fetchRequestBytes = 512
/** Bytes of a page's epoch and of a fetch request's nonce. */
export const epochBytes = 16
export const fetchNonceBytes = 16
/** Entries of one `block_list` body. */
export const blockEntries = 256
/** Accounts that one account can block at its home. */
export const blocks = 10_000
/** Characters of the nonce a NATS server sends at login. */
export const loginNonceCharacters = 15

/** Bytes of any envelope except a shared-files manifest, as received. */
export const envelopeBytes = 64 * 1024
/** Bytes of a shared-files manifest. */
export const manifestBytes = 1024 * 1024
/** How often a handle may be handed over within 24 hours (KEZ-LIM-121). */
export const transfersPerDay = 3
/** Earlier keys of an account, the newest ones, that a block of one of them still covers (KEZ-NAT-124). */
export const formerKeys = 16
/** Newest manifests of one owner that a home server keeps, in addition to the anchored one. */
export const manifestsKept = 4
/** `set_shared_files` events that an account appends per UTC day, across all its devices. */
export const anchorsPerDay = 4
/** Characters of a sigchain operation's name. */
export const operationMax = 64
/** Broker URLs of each kind that a home server may list, in a handle's record and in its own description. */
export const brokerUrls = 16
/** Relays in a home's list of services that its page asks for proofs (KEZ-REG-110). */
export const proofRelays = 8
/** Readers of one entry of a manifest, its owner included. */
export const entryReaders = 1024
/** Bytes of a wrapped key: an encapsulated key, the key itself and a tag. */
export const wrappedKeyBytes = 32 + 32 + 16
/** Characters of a folder in a manifest. */
export const folderMax = 1024
/** Characters of a file name and of a media type in a message. */
export const filenameMax = 255
export const mediaTypeMax = 127
/** Characters of an Iroh ticket in a message. */
export const ticketMax = 1024
/** Network addresses in one `address` body, and the maximum lifetime of that body, in milliseconds. */
export const addressesMax = 32
export const addressLifetimeMillis = 5 * 60 * 1000
/** Age of a request from which it is not answered and answers to it are ignored, in milliseconds. */
export const addressRequestMillis = 24 * 60 * 60 * 1000
/** Bytes of a request for chunks of a blob, as received. */
export const blobRequestBytes = 65_536

/** Fetching of proofs (spec KEZ-PRF-110): bytes of an answer after content decoding, and its time in milliseconds. */
export const proofAnswerBytes = 1024 * 1024
export const proofAnswerMillis = 5_000
/** Redirects that are followed, all within one host. */
export const proofRedirects = 3
/** Requests to one host begin at least this many milliseconds apart. */
export const proofSpacingMillis = 500
/** A service's time to ask again counts up to this many milliseconds ahead. */
export const proofRetryMillis = 24 * 60 * 60 * 1000
/** Candidates for one identity, and characters of a text that may be one. */
export const proofCandidates = 16
export const proofTextCharacters = 128 * 1024

/** Most keys of a server description that sign acceptances. */
export const acceptanceKeys = 16

/** Size limit of an evidence file (spec/evidence.md), in bytes. */
export const evidenceBytes = 262_144
