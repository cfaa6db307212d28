/** How a home that is not the user's is asked: by its name, over https, and for nothing that it could send us to. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpHomes } from "@kez-chat/sdk/http"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Registration } from "@kez-chat/sdk/protocol"
import { Homes } from "@kez-chat/sdk/services"
import { code, identityOf, json, serve, unreachable } from "./ToldServer.ts"

const server = "b.test"

const description = (changes: Record<string, unknown> = {}) => ({
  server,
  broker: { tcp: [], websocket: [] },
  sig_server: "https://sig.b.test",
  limits: {},
  ...changes
})

/** What a home's servers answer, by URL; anything else is a 404 without a reason. */
type Answers = Readonly<Record<string, unknown>>

/** A `fetch` that carries each URL to one real server, which answers by it; `asked` are the URLs it was to fetch. */
const network = (answers: Answers) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const { url } = yield* serve((request, response, body) => {
      const found = answers[decodeURIComponent(request.url?.slice(1) ?? "")]
      if (typeof found === "function") return found(request, response, body)
      return json(found === undefined ? 404 : 200, found ?? "<html>")(request, response, body)
    })
    const fetch: typeof globalThis.fetch = (input, init) => {
      asked.push(String(input))
      return globalThis.fetch(`${url}/${encodeURIComponent(String(input))}`, init)
    }
    return { asked, fetch }
  })

/** Asks `b.test` (or another server) with these answers. */
const asking = (answers: Answers, name = server) =>
  Effect.gen(function* () {
    const { asked, fetch } = yield* network(answers)
    const homes = HttpHomes.layer({
      network: (name, url) => ({ ...HttpHomes.byName(name, url), fetch, named: fetch }),
      timeoutMillis: 2_000
    })
    const at = yield* Effect.provide(
      Homes.use((homes) => Effect.succeed(homes.at(name))),
      homes
    )
    return { asked, at }
  }).pipe(Effect.provide(NodeCrypto.layer))

const record = Effect.gen(function* () {
  const identity = yield* identityOf
  const registration = yield* identity.signRegistration({ handle: "bob", server, createdAt: Date.now() })
  const { primary } = identity
  const sigchain_url = "https://elsewhere.test/"
  const at = "2026-01-01T00:00:00Z"
  const value = { handle: `bob@${server}`, primary, registered_at: at, sigchain_url, endpoints: [], registration }
  return { identity, json: Registration.recordToJson(value) }
}).pipe(Effect.provide(NodeCrypto.layer))

const wellKnown = `https://${server}/.well-known/kez-chat`
const lookup = `https://${server}/v1/u/bob`
const webFinger = `https://${server}/.well-known/webfinger?resource=acct%3Abob%40${server}`

const jrd = (...hrefs: ReadonlyArray<string>) => ({
  subject: `acct:bob@${server}`,
  links: [{ rel: "self", href: "https://b.test/" }, ...hrefs.map((href) => ({ rel: "urn:kez:record", href }))]
})

describe("another home over https", () => {
  it.live(
    "KEZ-REG-100 KEZ-REG-101 is asked at its own name for records, and the sig-server that it names for chains",
    () =>
      Effect.gen(function* () {
        const { identity, json } = yield* record
        const chain = `https://sig.b.test/v1/sigchains/ed25519/${identity.key.hex}`
        const event = yield* identity.signSigchainEvent({
          after: undefined,
          operation: { op: "revoke", payload: { subject: "dns:b.test" } },
          createdAt: Date.now()
        })
        const { asked, at } = yield* asking({ [wellKnown]: description(), [lookup]: json, [chain]: event })
        const home = yield* at
        assert.strictEqual((yield* home.lookup("bob")).primary, identity.primary)
        assert.lengthOf(yield* home.fetch(identity.primary), 1)
        assert.deepStrictEqual(asked, [wellKnown, lookup, chain])
      })
  )

  it.live("KEZ-REG-101 that calls itself otherwise is refused", () =>
    Effect.gen(function* () {
      const { asked, at } = yield* asking({ [wellKnown]: description({ server: "c.test" }) })
      assert.strictEqual(code(yield* Effect.flip(at)), "wrong_server")
      assert.deepStrictEqual(asked, [wellKnown])
    })
  )

  it.live("KEZ-REG-104 may have its records elsewhere on its own origin, as WebFinger says, and on no other", () =>
    Effect.gen(function* () {
      const { identity, json } = yield* record
      const own = `https://${server}/chat/records/bob?v=1`
      const hostile = ["https://c.test/bob", "http://b.test/bob", "https://b.test:8443/bob", "//c.test/bob", "bob", 7]
      const { asked, at } = yield* asking({
        [wellKnown]: description(),
        [webFinger]: jrd(...(hostile as Array<string>), own, "https://c.test/late"),
        [own]: json
      })
      assert.strictEqual((yield* (yield* at).lookup("bob")).primary, identity.primary)
      assert.deepStrictEqual(asked, [wellKnown, lookup, webFinger, own])
      const other = yield* asking({ [wellKnown]: description(), [webFinger]: jrd("https://c.test/bob") })
      assert.strictEqual(code(yield* Effect.flip((yield* other.at).lookup("bob"))), "record_invalid")
      assert.deepStrictEqual(other.asked, [wellKnown, lookup, webFinger])
    })
  )

  it.live("KEZ-REG-102 that redirects is not followed, at any step", () =>
    Effect.gen(function* () {
      const redirect = json(302, "", { location: "https://c.test/" })
      const steps: ReadonlyArray<Answers> = [
        { [wellKnown]: redirect },
        { [wellKnown]: description(), [lookup]: redirect },
        { [wellKnown]: description(), [webFinger]: redirect },
        { [wellKnown]: description(), [webFinger]: jrd(`https://${server}/r`), [`https://${server}/r`]: redirect }
      ]
      for (const answers of steps) {
        const { asked, at } = yield* asking(answers)
        unreachable(yield* Effect.flip(Effect.flatMap(at, (home) => home.lookup("bob"))))
        assert.isFalse(asked.some((url) => url.includes("c.test")))
      }
    })
  )

  it.live(
    "KEZ-REG-102 KEZ-REG-103 cannot send us to this machine, to our network, or to anything without TLS or a public name",
    () =>
      Effect.gen(function* () {
        const { identity } = yield* record
        const named = [
          "http://sig.b.test",
          "http://localhost:7878",
          "https://localhost:7878",
          "https://127.0.0.1",
          "https://2130706433",
          "https://0x7f.1",
          "https://[::1]",
          "https://[::ffff:10.0.0.1]",
          "https://[64:ff9b::a00:1]",
          "https://10.0.0.1",
          "https://169.254.169.254/latest",
          "https://8.8.8.8",
          "https://router",
          "https://nas.local",
          "https://db.internal",
          "https://a:b@sig.b.test"
        ]
        for (const sig_server of named) {
          const { asked, at } = yield* asking({ [wellKnown]: description({ sig_server }) })
          const error = yield* Effect.flip((yield* at).fetch(identity.primary))
          assert.include(["ServerUnreachable", "Problem"], error._tag, sig_server)
          assert.deepStrictEqual(asked, [wellKnown], sig_server)
        }
      })
  )

  it.live("KEZ-REG-103 is not asked where its handles name this machine or network", () =>
    Effect.gen(function* () {
      for (const name of ["localhost", "a.localhost", "nas.local", "router", "vault.home.arpa"]) {
        const { asked, at } = yield* asking({}, name)
        assert.strictEqual(code(yield* Effect.flip(at)), "address_forbidden")
        assert.deepStrictEqual(asked, [])
      }
    })
  )

  it.live("is asked where the user says that it is, on this machine too", () =>
    Effect.gen(function* () {
      const told = yield* serve((request, response, body) =>
        json(200, description({ sig_server: `http://${request.headers.host}` }))(request, response, body)
      )
      const { asked, url } = told
      const homes = HttpHomes.layer({ urls: { [server]: url } })
      const { identity } = yield* record
      yield* Homes.use((homes) =>
        Effect.flatMap(homes.at(server), (home) => Effect.flip(home.fetch(identity.primary)))
      ).pipe(Effect.provide(homes), Effect.provide(NodeCrypto.layer))
      assert.deepStrictEqual(asked, ["GET /.well-known/kez-chat", `GET /v1/sigchains/ed25519/${identity.key.hex}`])
      // Only that server.
      const other = Homes.use((homes) => Effect.flip(homes.at("constructor"))).pipe(Effect.provide(homes))
      assert.strictEqual(code(yield* Effect.provide(other, NodeCrypto.layer)), "address_forbidden")
    })
  )
})
