/** Where the document of a `did:web` lies (W3C CCG, did:web method). */
import { assert, it } from "vitest"
import { webUrlOf } from "../../../src/adapters/proofs-core/DidDocument.ts"

it("maps a did:web to its URL, and no other DID to any", () => {
  for (const [did, url] of [
    ["did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"],
    ["did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"],
    ["did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"],
    ["did:web:Example.com", "https://example.com/.well-known/did.json"],
    ["did:web:localhost", undefined],
    ["did:web:127.0.0.1", undefined],
    ["did:web:127.1", undefined],
    ["did:web:2130706433", undefined],
    ["did:web:example.com%2Fpath", undefined],
    ["did:web:example.com%40evil.example", undefined],
    ["did:web:example.com%3Aport", undefined],
    ["did:web:example.com%3A80%3A80", undefined],
    ["did:web:example.com:..:x", undefined],
    ["did:web:example.com:", undefined],
    ["did:web:example.com:%2e%2e", undefined],
    ["did:web:", undefined],
    ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", undefined],
    ["did:key:z6Mk", undefined],
    ["web:example.com", undefined]
  ] as const) {
    assert.strictEqual(webUrlOf(did), url, did)
  }
})
