/** What a browser fetches: from the services that its home publishes, and from nobody else. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { WebProofs } from "@kez-chat/sdk/proofs"
import type { Registration } from "@kez-chat/sdk/protocol"
import { ProofFetcher } from "@kez-chat/sdk/services"
import { Zstd } from "@kez-chat/sdk/zstd"
import { nostrAuthor } from "../../kits/proofs/NostrAuthor.ts"
import { plainFront } from "../../kits/proofs/PlainFront.ts"
import { envelopeIn, identifier, proofOf } from "../../kits/proofs/Proof.ts"
import { proofServers } from "../../kits/proofs/ProofServers.ts"

const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const author = nostrAuthor(9)

const fetcherOf = (sources: Effect.Effect<Registration.ProofSources, Error>) =>
  Effect.provide(ProofFetcher, WebProofs.layer({ sources, decompress: Effect.succeed(Zstd.decompress) }))

const fetchFrom = (sources: Registration.ProofSources, subject: string) =>
  Effect.flatMap(fetcherOf(Effect.succeed(sources)), (fetcher) => fetcher.fetch(identifier(subject)))

describe("proofs in a browser", () => {
  it.live("are found for domains, nostr keys and Bluesky handles", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const sources = yield* plainFront(servers)
      const { bluesky, dns, relays } = servers
      for (const subject of ["dns:alice.kez.test", `nostr:${author.npub}`, "bluesky:alice.kez.test"]) {
        const { compact, envelope } = yield* proofOf(subject)
        dns.isAuthenticated = true
        dns.txt.set("_kez.alice.kez.test", [[compact.slice(0, 200), compact.slice(200)]])
        relays[2]?.events.splice(0, 9, author.event(0, JSON.stringify({ about: compact })))
        // By XRPC: the handle's own host answers no browser.
        bluesky.handles.set("alice.kez.test", did)
        bluesky.documents.set(did, ["alice.kez.test"])
        bluesky.posts.set(did, [{ record: { text: compact } }])
        const { dnssec, found, missed } = yield* fetchFrom(sources, subject)
        assert.isUndefined(missed)
        assert.deepStrictEqual(envelopeIn(found[0]?.text ?? ""), envelope)
        assert.strictEqual(dnssec, subject.startsWith("dns:") ? "secure" : undefined)
      }
      bluesky.handles.clear()
      dns.txt.clear()
      for (const subject of ["dns:alice.kez.test", "bluesky:alice.kez.test"]) {
        assert.deepStrictEqual((yield* fetchFrom(sources, subject)).found, [])
      }
    })
  )

  it.live("need the command line where no service is published, or none can be asked", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const sources = yield* plainFront(servers)
      const ofBluesky = { bluesky: sources.bluesky, plc: sources.plc }
      for (const [published, subject] of [
        [{}, "dns:alice.kez.test"],
        [{}, `nostr:${author.npub}`],
        [{}, "bluesky:alice.kez.test"],
        [ofBluesky, "dns:alice.kez.test"],
        [{ bluesky: sources.bluesky, dns: sources.dns }, "bluesky:alice.kez.test"],
        [sources, "github:octocat"],
        [sources, "web:site.kez.test"],
        [sources, "ap:alice@social.kez.test"],
        [sources, "did:web:site.kez.test"]
      ] as const) {
        servers.bluesky.handles.set("alice.kez.test", did)
        const error = yield* Effect.flip(fetchFrom(published, subject))
        assert.strictEqual(error.reason, "needs_cli", subject)
        assert.match(error.message, /kez-chat, can$/)
      }
    })
  )

  it.live("ask no server of a stranger, also where a Bluesky handle's DID lies on one", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const sources = yield* plainFront(servers)
      servers.bluesky.handles.set("alice.kez.test", "did:web:127.0.0.1.example")
      const error = yield* Effect.flip(fetchFrom(sources, "bluesky:alice.kez.test"))
      assert.strictEqual(error.reason, "needs_cli")
      assert.include(error.message, "127.0.0.1.example")
    })
  )

  it.live("are unreachable, and their instructions there, while the home is away", () =>
    Effect.gen(function* () {
      const fetcher = yield* fetcherOf(Effect.fail(new Error("away")))
      assert.deepStrictEqual(fetcher.systems, ["dns", "nostr", "bluesky"])
      const subject = identifier("dns:alice.kez.test")
      assert.strictEqual((yield* Effect.flip(fetcher.fetch(subject))).reason, "network")
      const proof = { compact: "kez:z1:AAAA", markdown: "# KEZ", json: "{}" }
      for (const text of [
        "dns:a.test",
        "github:octocat",
        "web:a.test",
        "bluesky:a.test",
        "ap:a@b.test",
        "did:web:a.test"
      ]) {
        assert.isDefined(yield* fetcher.publication(identifier(text), proof), text)
      }
      for (const text of ["farcaster:1", "did:key:z6Mk"]) {
        assert.isUndefined(yield* fetcher.publication(identifier(text), proof), text)
      }
    })
  )
})
