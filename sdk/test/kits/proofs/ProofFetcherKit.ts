/**
 * What every channel must do, against servers that speak as its provider does. A channel's case says how a user
 * publishes there and how the provider fails; the rest is the same for all.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { NodeProofs } from "@kez-chat/sdk/node"
import { type Publication, ProofFetcher, type ProofUnreachable } from "@kez-chat/sdk/services"
import type { Handler } from "./HttpsHosts.ts"
import { envelopeIn, identifier, proofOf } from "./Proof.ts"
import { type ProofServers, proofServers } from "./ProofServers.ts"

export interface ChannelUnderTest {
  readonly subject: string
  /** Makes the identity known to the provider, with nothing published. */
  readonly register?: (servers: ProofServers) => void
  /** Does what the instructions say. */
  readonly publish: (servers: ProofServers, publication: Publication) => void
  /** Removes it again. */
  readonly remove: (servers: ProofServers) => void
  /** The provider's only host, or the one whose failure decides; absent for channels that do not use HTTP. */
  readonly host?: string
  /** Makes the provider fail; for channels without a host. */
  readonly fail?: (servers: ProofServers) => void
}

/** Fetches with a fetcher of its own, which remembers nothing. */
export const fetchProof = (servers: ProofServers, subject: string, options: NodeProofs.NodeProofOptions = {}) =>
  ProofFetcher.use((fetcher) => fetcher.fetch(identifier(subject))).pipe(
    Effect.provide(NodeProofs.layer({ ...servers.options(), ...options }))
  )

/** Answers that are none: each leaves a proof unreachable, with words for why. */
const hostile: ReadonlyArray<readonly [string, ProofUnreachable["reason"], RegExp, Handler]> = [
  ["fails", "network", /status 500/, (_, response) => response.writeHead(500).end("oops")],
  ["is overloaded", "network", /status 503/, (_, response) => response.writeHead(503).end()],
  ["forbids", "network", /status 403/, (_, response) => response.writeHead(403).end()],
  [
    "has had too many requests",
    "rate_limited",
    /until \d{4}-/,
    (_, response) => response.writeHead(429, { "retry-after": "120" }).end()
  ],
  [
    "redirects to another host",
    "forbidden",
    /another host/,
    (_, response) => response.writeHead(302, { location: "https://elsewhere.kez.test/" }).end()
  ],
  [
    "redirects to a host inside",
    "forbidden",
    /another host/,
    (_, response) => response.writeHead(301, { location: "https://169.254.169.254/latest/meta-data" }).end()
  ],
  [
    "redirects to plain http",
    "forbidden",
    /another host/,
    (request, response) => response.writeHead(301, { location: `http://${request.headers.host}/` }).end()
  ],
  [
    "redirects in a circle",
    "network",
    /without end/,
    (request, response) => response.writeHead(302, { location: request.url ?? "/" }).end()
  ],
  ["hangs up", "network", /lost|closed|other side/, (request) => request.socket.destroy()]
]

export const proofFetcherKit = (system: string, channel: ChannelUnderTest): void => {
  const { fail, host, publish, register, remove, subject } = channel
  const started = Effect.tap(proofServers, (servers) => Effect.sync(() => register?.(servers)))

  describe(`ProofFetcher: ${system}`, () => {
    it.live("KEZ-PRF-109 finds what was published as its instructions say, and no more after it was removed", () =>
      Effect.gen(function* () {
        const servers = yield* started
        const proof = yield* proofOf(subject)
        const before = yield* fetchProof(servers, subject)
        assert.deepStrictEqual(before.found, [])
        assert.isBelow(proof.compact.length, 500, "a post on Mastodon")
        const publication = yield* ProofFetcher.use((fetcher) => fetcher.publication(identifier(subject), proof)).pipe(
          Effect.provide(NodeProofs.layer())
        )
        if (publication === undefined) return assert.fail("there are no instructions")
        assert.isAbove(publication.steps.length, 0)
        publish(servers, publication)
        const from = yield* Clock.currentTimeMillis
        const { asked, found, missed, recipe } = yield* fetchProof(servers, subject)
        assert.isUndefined(missed)
        assert.match(recipe, new RegExp(`^${system}/[1-9]$`))
        assert.isAbove(asked.length, 0)
        const [first] = found
        if (first === undefined) return assert.fail("it was not found")
        assert.deepStrictEqual(envelopeIn(first.text), proof.envelope)
        assert.match(first.digest, /^sha256:[0-9a-f]{64}$/)
        assert.isAtLeast(first.fetchedAt, from)
        assert.match(first.url, /^(?:https:\/\/|wss:\/\/|dns:)/)
        remove(servers)
        assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
      })
    )

    if (fail !== undefined) {
      it.live("is unreachable while its provider fails", () =>
        Effect.gen(function* () {
          const servers = yield* started
          fail(servers)
          const error = yield* Effect.flip(fetchProof(servers, subject))
          assert.strictEqual(error.reason, "network")
          assert.include(error.message, subject)
        })
      )
    }
    if (host === undefined) return

    it.live("is unreachable, and never empty, where its provider answers badly", () =>
      Effect.gen(function* () {
        const servers = yield* started
        for (const [what, reason, words, handler] of hostile) {
          servers.https.overrides.set(host, handler)
          const error = yield* Effect.flip(fetchProof(servers, subject))
          assert.deepStrictEqual([what, error.reason], [what, reason])
          assert.match(error.message, words, what)
          assert.isBelow(error.message.length, 300)
          if (reason === "rate_limited") assert.isAbove(error.retryAt ?? 0, Date.now() + 60_000)
        }
      })
    )

    it.live("is unreachable where its provider cannot prove who it is", () =>
      Effect.gen(function* () {
        const servers = yield* started
        for (const [bad, words] of [
          ["otherName", /certificate is for another name/],
          ["selfSigned", /not signed by an authority/]
        ] as const) {
          servers.https.bad.set(host, bad)
          const error = yield* Effect.flip(fetchProof(servers, subject))
          assert.strictEqual(error.reason, "network")
          assert.match(error.message, words)
        }
      })
    )
  })
}
