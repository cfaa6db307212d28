// The tables of the import rules in ARCHITECTURE.md, and of the sizes in STYLE.md. The code beside it reads them.

/** For each room of sdk/src, the rooms it may import besides itself. Imports point down only. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  api: ["protocol"],
  services: ["protocol"],
  crypto: ["protocol", "services"],
  client: ["protocol", "services", "crypto"],
  adapters: ["protocol", "api", "services", "crypto"],
  promise: ["protocol", "api", "services", "crypto", "client"],
  // Only types of the facade: its two halves load no package.
  port: ["promise"],
  // The entries that join several adapters and both faces: for Node, for browsers, and the files directly in sdk/src.
  node: ["protocol", "api", "services", "crypto", "client", "adapters", "promise"],
  web: ["protocol", "api", "services", "crypto", "client", "adapters", "promise", "port"],
  assembly: ["protocol", "api", "services", "crypto", "client", "adapters", "promise"]
}

/**
 * The rooms of sdk/src/client, lowest first: each may import those before it. `KezChat` stands for the files directly in
 * sdk/src/client.
 */
export const CLIENT_ROOMS: readonly string[] = [
  "model",
  "internal",
  "claims",
  "contacts",
  "proofs",
  "files/share",
  "files/fetch",
  "messaging",
  "conversations",
  "account",
  "KezChat"
]

/** Rooms of the client whose files may be imported one by one; every other room is imported through its index.ts. */
export const OPEN_CLIENT_ROOMS: readonly string[] = ["model", "internal"]

/** The vocabulary of the client depends on nothing but these rooms of sdk/src. */
export const CLIENT_MODEL_MAY: readonly string[] = ["protocol", "services"]

/** Adapters never import each other. A folder named here is the shared core of several technologies. */
export const SHARED_CORES: Readonly<Record<string, readonly string[]>> = {
  "nats-core": ["nats", "nats-websocket"],
  "crypto-core": ["node", "webcrypto", "noble"],
  "blobs-core": ["memory", "iroh"],
  "http-core": ["http", "proofs-core"],
  "network-core": ["node", "nats"],
  "proofs-core": ["node", "proofs"],
  "store-core": ["memory", "indexeddb"]
}

/** Packages that the pure protocol may import: values without effects, and vetted encoders and curves. */
export const PROTOCOL_MAY =
  /^(effect\/(Result|Data|Option|Brand|Redacted|Function|Predicate|encoding\/\w+)|@noble\/.+|@scure\/.+|canonicalize|jsonc-parser)$/

/** Entries that a browser can load: nothing they reach at run time may need Node. */
export const BROWSER_ENTRIES = [
  ".",
  "./protocol",
  "./crypto",
  "./services",
  "./api",
  "./promise",
  "./port",
  "./web",
  "./web-page",
  "./web-worker",
  "./webcrypto",
  "./noble",
  "./zstd",
  "./memory",
  "./indexeddb",
  "./http",
  "./proofs",
  "./nats-websocket"
]
export const NODE_ONLY =
  /^(node:.+|@nats-io\/transport-node|undici|better-sqlite3|pg|@napi-rs\/keyring|@number0\/iroh(\/.*)?|@kez-chat\/iroh-native|@effect\/platform-node.*)$/

/** Entries for programs that only check identities: they reach no broker and no file transport. */
export const IDENTITY_ENTRIES = ["./protocol", "./crypto", "./zstd"]
export const TRANSPORT = /^(@nats-io\/.+|@number0\/iroh(\/.*)?|@kez-chat\/iroh-native)$/

/** Entries for the thread of a page: they reach no package at run time. */
export const PAGE_ENTRIES = ["./port", "./web-page"]

/** Barrels of Effect pull megabytes into a bundle. */
export const EFFECT_BARREL = /^(effect|@effect\/platform-node|@effect\/platform-browser)$/
