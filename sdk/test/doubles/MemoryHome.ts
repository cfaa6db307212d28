/**
 * A home server's registry, sig-server and manifests inside the test process, with switches for what goes wrong. It keeps
 * the rules that clients lean on: first come first served, repeats are harmless, tombstones, one chain a key, manifests
 * of account holders that only go forwards.
 */
import { Effect, Layer, Result } from "effect"
import { SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import {
  Blake3,
  Bytes,
  Envelope,
  Limits,
  Manifest,
  PrimaryKey,
  Problem,
  Registration,
  Sigchain,
  Transfer
} from "@kez-chat/sdk/protocol"
import { Directory, Homes, ManifestStore, ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"
import { createHash } from "node:crypto"
import * as Endpoint from "../../src/protocol/sigchain/Endpoint.ts"

type Step =
  | "wellKnown"
  | "register"
  | "lookup"
  | "byPrimary"
  | "delete"
  | "transfer"
  | "report"
  | "skew"
  | "fetch"
  | "append"
  | "putManifest"
  | "manifest"

export interface MemoryHome {
  readonly layer: Layer.Layer<Directory | SigchainStore | ManifestStore>
  readonly server: string
  /** These calls are not answered. */
  readonly unreachable: Set<Step>
  /** The call is carried out, and its answer is lost, as many times as said. */
  readonly loseAnswer: Map<Step, number>
  /** How often each call was made. */
  readonly calls: Map<Step, number>
  /** handle's local part -> record; tests may put lies here. */
  readonly records: Map<string, Registration.HandleRecord>
  /** primary -> chain; tests may cut or replace it. */
  readonly chains: Map<string, Array<Envelope.Envelope>>
  /** primary -> bodies of manifests, oldest first; tests may replace them. */
  readonly manifests: Map<string, Array<Uint8Array>>
  readonly deleted: Set<string>
  /** Keys that handed their handle over -> the keys that have it now. */
  readonly moved: Map<string, string>
  /** Called with each key that handed its handle over. */
  onMoved: (primary: string) => void
  readonly reports: Array<Envelope.Envelope>
  /** Handles and keys that the operator has suspended. */
  readonly suspended: Set<string>
  /** The description's `acceptance_keys`. */
  acceptanceKeys: ReadonlyArray<string>
  /** Invites that are left, each for one registration; undefined where everybody may register. */
  invites: Set<string> | undefined
  /** The server's clock minus the client's, in milliseconds. */
  skewMillis: number
}

const fail = (code: Problem.Code, detail = code) => Effect.fail(new Problem.Problem({ code, detail }))

const hash = (envelope: Envelope.Envelope) =>
  `sha256:${createHash("sha256").update(Envelope.encode(envelope)).digest("hex")}`

export const makeMemoryHome = (server = "home.test"): MemoryHome => {
  const home: Omit<MemoryHome, "layer"> = {
    server,
    unreachable: new Set(),
    loseAnswer: new Map(),
    calls: new Map(),
    records: new Map(),
    chains: new Map(),
    manifests: new Map(),
    deleted: new Set(),
    moved: new Map(),
    onMoved: () => undefined,
    reports: [],
    suspended: new Set(),
    acceptanceKeys: [],
    invites: undefined,
    skewMillis: 0
  }

  const call = <A>(
    step: Step,
    answer: () => Effect.Effect<A, Problem.Problem>
  ): Effect.Effect<A, Problem.Problem | ServerUnreachable> =>
    Effect.suspend((): Effect.Effect<A, Problem.Problem | ServerUnreachable> => {
      home.calls.set(step, (home.calls.get(step) ?? 0) + 1)
      const gone = Effect.fail(
        new ServerUnreachable({ url: `memory://${server}/${step}`, detail: "connection refused" })
      )
      if (home.unreachable.has(step)) return gone
      const lost = home.loseAnswer.get(step) ?? 0
      if (lost === 0) return answer()
      home.loseAnswer.set(step, lost - 1)
      return Effect.andThen(Effect.exit(answer()), gone)
    })

  const recordOf = (
    handle: string,
    primary: PrimaryKey.PrimaryKey | string,
    registration: Envelope.Envelope
  ): Registration.HandleRecord => ({
    handle: `${handle}@${server}`,
    primary,
    registered_at: "2026-01-01T00:00:00Z",
    sigchain_url: `http://sig.test/v1/sigchains/${primary.replace(":", "/")}`,
    endpoints: [Endpoint.nats(primary, `nats://${server}:4222`)],
    registration
  })

  const register = (registration: Envelope.Envelope, invite?: string) =>
    Effect.gen(function* () {
      const statement = yield* Effect.fromResult(Registration.parseRegistration(registration))
      const { handle, primary } = statement
      if (home.deleted.has(handle) || home.deleted.has(primary)) return yield* fail("handle_deleted")
      if (home.moved.has(primary)) return yield* fail("primary_moved")
      const taken = home.records.get(handle)
      if (taken?.primary === primary) return taken
      if (Math.abs(home.skewMillis) > 300_000) return yield* fail("clock_skew")
      if (statement.server !== server) return yield* fail("wrong_server")
      if (handle === "admin") return yield* fail("handle_reserved")
      if (taken !== undefined) return yield* fail("handle_taken")
      if ([...home.records.values()].some((record) => record.primary === primary)) return yield* fail("primary_taken")
      if (home.invites !== undefined && invite === undefined) return yield* fail("invite_required")
      if (home.invites?.delete(invite ?? "") === false) return yield* fail("invite_invalid")
      const record = recordOf(handle, primary, registration)
      home.records.set(handle, record)
      return record
    })

  const transfer = (request: Transfer.Request) =>
    Effect.gen(function* () {
      const statement = yield* Effect.fromResult(Transfer.parse(Transfer.toJson(request)))
      const [old, successor] = [PrimaryKey.format(statement.old), PrimaryKey.format(statement.new)]
      const { handle } = statement
      const held = home.records.get(handle)
      if (held === undefined) return yield* fail("handle_not_found")
      if (home.moved.get(old) === successor && held.primary === successor) return held
      if (home.moved.has(old) || home.moved.has(successor)) return yield* fail("primary_moved")
      if (held.primary !== old) return yield* fail("unauthorized")
      if ([...home.records.values()].some((record) => record.primary === successor)) return yield* fail("primary_taken")
      yield* Effect.fromResult(Transfer.checkWindow(statement, Date.now() + home.skewMillis))
      const record = recordOf(handle, successor, request.registration)
      home.records.set(handle, record)
      home.manifests.delete(old)
      home.moved.set(old, successor)
      home.onMoved(old)
      return record
    })

  const directory = Directory.of({
    wellKnown: call("wellKnown", () =>
      Effect.succeed({
        server,
        broker: { tcp: [`nats://${server}:4222`], websocket: [`wss://${server}/nats`] },
        sig_server: "http://sig.test",
        ...(home.invites === undefined ? {} : { registration: "invite" as const }),
        ...(home.acceptanceKeys.length === 0 ? {} : { acceptance_keys: home.acceptanceKeys }),
        limits: {}
      })
    ),
    register: (registration, invite) => call("register", () => register(registration, invite)),
    lookup: (local) =>
      call("lookup", () => {
        if (home.deleted.has(local)) return fail("handle_deleted")
        if (home.suspended.has(local)) return fail("account_suspended")
        const record = home.records.get(local)
        if (record !== undefined) return Effect.succeed(record)
        return fail(local === "admin" ? "handle_reserved" : "handle_not_found")
      }),
    byPrimary: (primary) =>
      call("byPrimary", () => {
        if (home.deleted.has(primary)) return fail("handle_deleted")
        if (home.moved.has(primary)) return fail("primary_moved")
        const record = [...home.records.values()].find((record) => record.primary === primary)
        if (record === undefined) return fail("handle_not_found")
        const [local = ""] = record.handle.split("@")
        return home.suspended.has(local) ? fail("account_suspended") : Effect.succeed(record)
      }),
    delete: (deletion) =>
      call("delete", () =>
        Effect.flatMap(Effect.fromResult(Registration.parseDeletion(deletion)), ({ handle, primary }) => {
          if (home.deleted.has(handle)) return fail("handle_deleted")
          if (home.moved.has(primary)) return fail("unauthorized")
          home.records.delete(handle)
          home.manifests.delete(primary)
          home.deleted.add(handle).add(primary)
          return Effect.void
        })
      ),
    transfer: (request) => call("transfer", () => transfer(request)),
    report: (report) =>
      call("report", () =>
        Effect.sync(() => {
          home.reports.push(report)
          return { id: hash(report) }
        })
      ),
    clockSkewMillis: call("skew", () => Effect.sync(() => home.skewMillis))
  })

  const sigchains = SigchainStore.of({
    fetch: (primary, since = 0) =>
      call("fetch", () => Effect.sync(() => (home.chains.get(primary) ?? []).slice(since))),
    append: (primary, event) =>
      call("append", () =>
        Effect.flatMap(Effect.fromResult(Sigchain.parseEvent(event)), ({ prev, seq }) => {
          const chain = home.chains.get(primary) ?? []
          const same = chain[seq]
          if (same !== undefined && hash(same) === hash(event)) return Effect.succeed({ seq, hash: hash(event) })
          const last = chain.at(-1)
          if (seq !== chain.length || prev !== (last === undefined ? undefined : hash(last)))
            return fail("chain_conflict")
          home.chains.set(primary, [...chain, event])
          return Effect.succeed({ seq, hash: hash(event) })
        })
      )
  })

  const hashOf = (body: Uint8Array) => Manifest.hashOf(body, Blake3.subtree)
  const revisionOf = (body: Uint8Array) => Result.getOrThrow(Manifest.parseBody(body)).manifest.revision

  const manifests = ManifestStore.of({
    put: (primary, body) =>
      call("putManifest", () =>
        Effect.gen(function* () {
          const owner = yield* Effect.fromResult(PrimaryKey.parseEd25519(primary))
          if (home.deleted.has(primary)) return yield* fail("handle_deleted")
          const isHolder = [...home.records.values()].some((record) => record.primary === primary)
          if (!isHolder) return yield* fail("handle_not_found")
          const verifying = SealedManifest.verifySignature(body, owner)
          const { anchored, revision } = yield* Effect.provide(verifying, NodeCrypto.layer)
          const bodies = home.manifests.get(primary) ?? []
          const last = bodies.at(-1)
          if (last !== undefined && Bytes.equal(last, body)) return
          if (last !== undefined && revisionOf(last) >= revision) return yield* fail("manifest_conflict")
          const all = [...bodies, body.slice()]
          const isKept = (one: Uint8Array, i: number) =>
            i >= all.length - Limits.manifestsKept || (anchored !== undefined && hashOf(one) === anchored)
          home.manifests.set(primary, all.filter(isKept))
        })
      ),
    current: (primary, held) =>
      call("manifest", () => {
        if (Result.isFailure(PrimaryKey.parseEd25519(primary))) return fail("key_malformed")
        const body = home.manifests.get(primary)?.at(-1)
        if (body === undefined) return fail("manifest_not_found")
        return Effect.succeed(held !== undefined && hashOf(body) === held ? undefined : body)
      }),
    byHash: (primary, hash) =>
      call("manifest", () => {
        if (!/^blake3:[0-9a-f]{64}$/.test(hash)) return fail("encoding_malformed")
        const bodies = home.manifests.get(primary) ?? []
        const body = bodies.find((body) => hashOf(body) === hash)
        return body === undefined ? fail("manifest_not_found") : Effect.succeed(body)
      })
  })

  return Object.assign(home, {
    layer: Layer.mergeAll(
      Layer.succeed(Directory, directory),
      Layer.succeed(SigchainStore, sigchains),
      Layer.succeed(ManifestStore, manifests)
    )
  })
}

/** `Homes` of some homes; others are unknown to the DNS. `asked` holds the server of each call. */
export const memoryHomes = (others: ReadonlyArray<MemoryHome>, asked: Array<string> = []): Layer.Layer<Homes> =>
  Layer.succeed(Homes, {
    at: (server) =>
      Effect.gen(function* () {
        asked.push(server)
        const other = others.find((home) => home.server === server)
        if (other === undefined) {
          return yield* new ServerUnreachable({ url: `https://${server}`, detail: "its name is unknown" })
        }
        const services = yield* Effect.all([Directory, SigchainStore]).pipe(Effect.provide(other.layer))
        const [{ byPrimary, lookup, wellKnown }, { fetch }] = services
        yield* wellKnown
        return { acceptanceKeys: other.acceptanceKeys, lookup, byPrimary, fetch }
      })
  })
