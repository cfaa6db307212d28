/** TXT records as domains have them, by the system's resolvers and by HTTPS. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fetchProof } from "../../kits/proofs/ProofFetcherKit.ts"
import { proofServers } from "../../kits/proofs/ProofServers.ts"

const compact = "kez:z1:KLUv_SBQgQIAaGVsbG8"
const other = "kez:z1:b3RoZXI"
const textsOf = ({ found }: { readonly found: ReadonlyArray<{ readonly text: string }> }) =>
  found.map(({ text }) => text)

describe("dns", () => {
  const name = "_kez.alice.kez.test"
  const subject = "dns:alice.kez.test"

  it.live("reads records that a provider's panel has mangled, and those of an alias", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      servers.dns.txt.set("_kez.elsewhere.test", [
        ["google-site-verification=x"],
        [`"${compact.slice(0, 12)}" "`, `${compact.slice(12)}"`],
        [`kez=${other} `],
        ["```kez"],
        [Buffer.from([0xff, 0x00, 0x80])] as never
      ])
      servers.dns.aliases.set(name, "_kez.elsewhere.test")
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), [compact, other, "```kez"])
    })
  )

  it.live("reads records that need TCP, and takes a few of many", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const long = `kez:z1:${"A".repeat(60_000)}`
      servers.dns.txt.set(name, [long.match(/.{1,255}/g) ?? []])
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), [long])
      servers.dns.txt.set(
        name,
        Array.from({ length: 900 }, (_, n) => [`kez:z1:AAAA${n}`])
      )
      assert.strictEqual((yield* fetchProof(servers, subject)).found.length, 16)
    })
  )

  it.live("is unreachable where the resolver knows no such domain", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { dns, dnsOverHttps } = servers
      for (const options of [{}, { dnsOverHttps }]) {
        assert.deepStrictEqual((yield* fetchProof(servers, subject, options)).found, [])
        dns.expired.add("alice.kez.test")
        assert.match((yield* Effect.flip(fetchProof(servers, subject, options))).message, /knows no domain alice/)
        dns.expired.clear()
      }
    })
  )

  it.live("says so where a resolver is given in another form than an address", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const error = yield* Effect.flip(fetchProof(servers, subject, { resolvers: ["dns.example"] }))
      assert.match(error.message, /not given as an address/)
    })
  )

  it.live("tells DNSSEC's verdict where a resolver over HTTPS gives it, and none elsewhere", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { dns, dnsOverHttps } = servers
      dns.txt.set(name, [[compact]])
      assert.notProperty(yield* fetchProof(servers, subject), "dnssec")
      for (const isAuthenticated of [true, false]) {
        dns.isAuthenticated = isAuthenticated
        const answer = yield* fetchProof(servers, subject, { dnsOverHttps })
        assert.deepStrictEqual(textsOf(answer), [compact])
        assert.strictEqual(answer.dnssec, isAuthenticated ? "secure" : "insecure")
      }
      dns.txt.clear()
      assert.deepStrictEqual((yield* fetchProof(servers, subject, { dnsOverHttps })).found, [])
      for (const fails of ["SERVFAIL", "REFUSED"] as const) {
        dns.fails = fails
        assert.strictEqual((yield* Effect.flip(fetchProof(servers, subject, { dnsOverHttps }))).reason, "network")
        assert.strictEqual((yield* Effect.flip(fetchProof(servers, subject))).reason, "network")
      }
      for (const body of ["", "no DNS", "\0".repeat(12), "<html>"]) {
        servers.https.overrides.set("doh.kez.test", (_, response) => response.writeHead(200).end(body))
        assert.strictEqual((yield* Effect.flip(fetchProof(servers, subject, { dnsOverHttps }))).reason, "network")
      }
    })
  )
})
