/** The request decoders under random input: an answer or a problem of the closed list, never a throw. */
import { Identity } from "@kez-chat/sdk/crypto"
import { Bytes, Canonical, Envelope, Manifest, Problem, Ticket } from "@kez-chat/sdk/protocol"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Effect, Exit, Layer, Redacted, Result, Stream } from "effect"
import * as fc from "fast-check"
import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openDatabase } from "../../src/storage/OpenDatabase.ts"
import { registrySchema, sigchainSchema } from "../../src/storage/Schemas.ts"
import { manifestOf } from "../../../sdk/test/kits/ManifestStoreKit.ts"
import { Manifests } from "../../src/storage/Manifests.ts"
import { routeTable } from "../../src/http/RouteTable.ts"
import { Registry } from "../../src/storage/Registry.ts"
import { Chains } from "../../src/storage/Chains.ts"
import {
  endpointEvent,
  newIdentity,
  raw,
  registration,
  type Running,
  signedManifest,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false })

const statementNames = [
  "kez",
  "payload",
  "signature",
  "alg",
  "key",
  "sig",
  "type",
  "version",
  "handle",
  "server",
  "primary",
  "created_at",
  "seq",
  "prev",
  "op",
  "extra"
]

/** A statement with one member somewhere replaced, dropped or added. */
const mutated = (statement: object, names: ReadonlyArray<string> = statementNames) => {
  const edit = (value: unknown, path: ReadonlyArray<string>, change: unknown): unknown => {
    const [name, ...rest] = path
    if (name === undefined) return change
    if (typeof value !== "object" || value === null) return change
    const copy: Record<string, unknown> = (Array.isArray(value) ? [...value] : { ...value }) as never
    if (rest.length === 0 && change === undefined) delete copy[name]
    else copy[name] = edit(copy[name], rest, change)
    return copy
  }
  return fc
    .tuple(
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }),
      fc.oneof(json, fc.constant(undefined), fc.string())
    )
    .map(([path, change]) => edit(statement, path, change))
}

const isProblem = (exit: Exit.Exit<unknown, Problem.Problem>): boolean =>
  Exit.isSuccess(exit) ||
  exit.cause.reasons.every((reason) => reason._tag === "Fail" && reason.error instanceof Problem.Problem)

/** Undefined for what has no canonical form: fractions, lone surrogates. */
const canonicalOf = (value: unknown): string | undefined => {
  try {
    return Canonical.encodeText(value as never)
  } catch {
    return undefined
  }
}

describe("decoders in memory", () => {
  it("registers nothing and never throws for a mutated statement", async () => {
    using folder = temporaryFolder()
    const identity = await newIdentity()
    const statement = Envelope.toJson(await registration(identity, "fuzzed"))
    const layer = Registry.layer("localhost").pipe(
      Layer.provide(openDatabase({ db: `${folder.path}/r.db`, schema: registrySchema })),
      Layer.provide(NodeCrypto.layer)
    )
    await Effect.runPromise(
      Effect.gen(function* () {
        const registry = yield* Registry
        const attempt = (body: unknown) =>
          Effect.runPromiseExit(
            Effect.flatMap(Effect.fromResult(Envelope.fromJson(body as never)), (envelope) =>
              registry.register(envelope)
            )
          )
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(mutated(statement), async (body) => {
              const exit = await attempt(body)
              expect(isProblem(exit)).toBe(true)
              // What still registers says exactly what was signed.
              if (Exit.isSuccess(exit)) expect(body).toEqual(statement)
            }),
            { numRuns: 400 }
          )
        )
      }).pipe(Effect.provide(layer))
    )
  })

  it("stores no mutated event and never throws", async () => {
    using folder = temporaryFolder()
    const identity = await newIdentity()
    const statement = Envelope.toJson(await endpointEvent(identity))
    const layer = Chains.layer(2 ** 40).pipe(
      Layer.provide(openDatabase({ db: `${folder.path}/s.db`, schema: sigchainSchema })),
      Layer.provide(NodeCrypto.layer)
    )
    await Effect.runPromise(
      Effect.gen(function* () {
        const chains = yield* Chains
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(mutated(statement), async (body) => {
              const exit = await Effect.runPromiseExit(
                Effect.flatMap(Effect.fromResult(Envelope.fromJson(body as never)), (envelope) =>
                  chains.append(identity.key.hex, envelope, () => Effect.void)
                )
              )
              expect(isProblem(exit)).toBe(true)
              if (Exit.isSuccess(exit) && exit.value._tag !== "Conflict") expect(body).toEqual(statement)
            }),
            { numRuns: 400 }
          )
        )
      }).pipe(Effect.provide(layer))
    )
  })

  it("stores no manifest that its readers would refuse, and never throws", async () => {
    using folder = temporaryFolder()
    const seed = new Uint8Array(randomBytes(32))
    const owner = await Effect.runPromise(Effect.provide(Identity.fromSeed(Redacted.make(seed)), NodeCrypto.layer))
    const file = {
      name: "report.pdf",
      media_type: "application/pdf",
      size: 1,
      shared_at: "2026-05-25T00:00:00Z",
      blob_hash: `blake3:${"00".repeat(32)}`,
      ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash: new Uint8Array(32) }),
      content_key: "A".repeat(43)
    }
    const key = { hint: "AAA", enc: "A".repeat(43), ct: "A".repeat(64) }
    const payload = {
      type: "kez.chat.shared_files",
      version: 1,
      primary: owner.primary,
      revision: 1,
      created_at: "2026-05-25T00:00:00Z",
      entries: [
        { id: "AAAAAAAAAAAAAAAAAAAAAA", public: file },
        { id: "AAAAAAAAAAAAAAAAAAAAAQ", keys: [key], sealed: "A".repeat(112) }
      ]
    }
    const layer = Layer.merge(Registry.layer("localhost"), Manifests.layer(2 ** 30)).pipe(
      Layer.provide(openDatabase({ db: `${folder.path}/m.db`, schema: registrySchema })),
      Layer.provide(NodeCrypto.layer)
    )
    await Effect.runPromise(
      Effect.gen(function* () {
        const registry = yield* Registry
        const manifests = yield* Manifests
        yield* registry.register(
          yield* owner.signRegistration({ handle: "fuzzed", server: "localhost", createdAt: Date.now() })
        )
        const put = (body: Uint8Array) => Effect.runPromiseExit(manifests.put(owner.key, body))
        const stored = () => {
          const found = Effect.runSync(manifests.find(owner.key.hex))
          return found === undefined
            ? undefined
            : Buffer.concat(Effect.runSync(Stream.runCollect(manifests.pieces(found))))
        }
        // Everything is signed by its owner: what is left to refuse is what was signed.
        let accepted = 0
        const names = [
          "entries",
          "0",
          "1",
          "public",
          "keys",
          "revision",
          "extra",
          ...Object.keys({ ...payload, ...file, ...key })
        ]
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(mutated(payload, names), fc.nat(9), async (changed, spaces) => {
              const rises =
                (changed as { revision?: unknown }).revision === 1
                  ? { ...(changed as object), revision: accepted + 1 }
                  : changed
              const text = (canonicalOf(rises) ?? JSON.stringify(rises)).replace(
                ",",
                `,${" ".repeat(Math.max(0, spaces - 7))}`
              )
              const body = Bytes.utf8(signedManifest(owner.primary, seed, text))
              const before = stored()
              const exit = await put(body)
              expect(isProblem(exit)).toBe(true)
              const readable = Result.isSuccess(Manifest.parseBody(body))
              if (Exit.isSuccess(exit)) {
                accepted++
                expect([readable, stored()]).toEqual([true, Buffer.from(body)])
              } else expect(stored()).toEqual(before)
            }),
            { numRuns: 400 }
          )
        )
        expect(accepted).toBeGreaterThan(0)
        const { body } = yield* manifestOf(owner, 1_000)
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
              const changed = body.with(at, (body[at] as number) ^ flip)
              expect(isProblem(await put(changed))).toBe(true)
              expect(Buffer.from(changed).equals(stored()!)).toBe(false)
            }),
            { numRuns: 200 }
          )
        )
      }).pipe(Effect.provide(layer), Effect.provide(NodeCrypto.layer))
    )
  })

  it("matches a path to at most one route, the same as splitting by slashes would", () => {
    const table = routeTable([
      { method: "GET", path: "/v1/u/:handle" },
      { method: "DELETE", path: "/v1/u/:handle" },
      { method: "GET", path: "/v1/healthz" },
      { method: "GET", path: "/v1/sigchains/ed25519/:hex/head" },
      { method: "GET", path: "/" }
    ])
    expect(table("/v1/u/chris")?.methods).toEqual(["GET", "HEAD", "DELETE"])
    const segment = fc.oneof(
      fc.constantFrom("v1", "u", "healthz", "sigchains", "ed25519", "head", "", ".", "constructor", "__proto__"),
      fc.string()
    )
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 6 }), (segments) => {
        const path = `/${segments.join("/")}`
        const parts = path.split("/").slice(1)
        const expected =
          path === "/"
            ? "/"
            : parts.length === 2 && parts[0] === "v1" && parts[1] === "healthz"
              ? "/v1/healthz"
              : parts.length === 3 && parts[0] === "v1" && parts[1] === "u" && parts[2] !== ""
                ? "/v1/u/:handle"
                : parts.length === 5 &&
                    parts[0] === "v1" &&
                    parts[1] === "sigchains" &&
                    parts[2] === "ed25519" &&
                    parts[3] !== "" &&
                    parts[4] === "head"
                  ? "/v1/sigchains/ed25519/:hex/head"
                  : undefined
        expect(table(path)?.path).toBe(expected)
      })
    )
  })
})

describe("decoders behind a socket", () => {
  const folder = temporaryFolder()
  let servers: ReadonlyArray<Running>

  beforeAll(async () => {
    servers = await Promise.all([startChat(folder.path), startSig(folder.path)])
  })
  afterAll(async () => {
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0])
    folder[Symbol.dispose]()
    expect(servers.flatMap(({ logs }) => logs).filter(({ level }) => level === "error" || level === "fatal")).toEqual(
      []
    )
  })

  const method = fc.constantFrom("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT")
  const path = fc.oneof(
    fc.constantFrom("/", "/v1/register", "/v1/delete", "/v1/healthz", "/.well-known/webfinger", "/docs"),
    fc.string({ maxLength: 80 }).map((text) => `/v1/u/${encodeURIComponent(text.toWellFormed())}`),
    fc.string({ maxLength: 80 }).map((text) => `/v1/by-primary/${encodeURIComponent(text.toWellFormed())}`),
    fc.string({ maxLength: 80 }).map((text) => `/v1/sigchains/ed25519/${encodeURIComponent(text.toWellFormed())}`),
    fc.string({ maxLength: 80 }).map((text) => `/v1/manifests/ed25519/${encodeURIComponent(text.toWellFormed())}`),
    fc
      .string({ maxLength: 200 })
      .map((text) => `/.well-known/webfinger?resource=${encodeURIComponent(text.toWellFormed())}`),
    // Anything printable that a request line can hold.
    fc
      .string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 120 })
      .map((text) => `/${text}`)
  )
  const body = fc.oneof(fc.json(), fc.string(), fc.constant(""))

  it("answers every random request with a status of the contract and a problem where it refuses", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1), method, path, body, async (which, verb, target, text) => {
        const bytes = Buffer.from(text)
        const received = await raw(
          servers[which]!.port,
          Buffer.concat([
            Buffer.from(
              `${verb} ${target} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`
            ),
            bytes
          ])
        )
        const status = Number(received.slice(9, 12))
        const codes: ReadonlyArray<number> = [200, 204, 400, 401, 404, 405, 413, 414, 415, 503]
        expect([verb, target, status, codes.includes(status)]).toEqual([verb, target, status, true])
        if (status >= 400 && status !== 503) expect(received).toMatch(/content-type: application\/problem\+json/i)
      }),
      { numRuns: 500 }
    )
  })

  it("survives random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 1), fc.uint8Array({ minLength: 1, maxLength: 300 }), async (which, bytes) => {
        const received = await raw(servers[which]!.port, Buffer.concat([bytes, Buffer.from("\r\n\r\n\r\n")]))
        if (received !== "") expect(received).toMatch(/^HTTP\/1\.1 [24]/)
      }),
      { numRuns: 200 }
    )
  })
})
