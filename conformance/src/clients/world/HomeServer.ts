/** The home server of the world over HTTP: handles and manifests in memory. */
import type { Envelope } from "../../servers/Signing.ts"
import { fromHex, utf8 } from "../crypto/Bytes.ts"
import { canonical } from "../crypto/Canonical.ts"
import { isSigned, Reader, sha512, verifies } from "../crypto/Keys.ts"
import { blake3Of } from "../crypto/Manifests.ts"
import { timeOf } from "../crypto/Messages.ts"
import { type HttpAsked, HttpHost, json, problem, type Reply } from "./HttpHost.ts"

export interface Urls {
  readonly tcp: ReadonlyArray<string>
  readonly websocket: ReadonlyArray<string>
  readonly sigServer: string
}

export interface Stored {
  readonly revision: number
  readonly hash: string
  readonly bytes: Uint8Array
}

/** Whether the new key consents to a transfer. */
const isTransferAccepted = ({
  handle,
  new: next,
  new_sig,
  primary: old,
  rotate,
  server,
  ...payload
}: Envelope["payload"]) => {
  const { created_at } = payload
  const acceptance = {
    type: "kez.handle_transfer_acceptance",
    version: 1,
    handle,
    server,
    old,
    new: next,
    rotate,
    created_at
  }
  return verifies(Reader.of(String(next)).ed25519, sha512(utf8(canonical(acceptance))), fromHex(String(new_sig)))
}

export class HomeServer {
  /** The server part of its handles. */
  readonly name: string
  readonly http: HttpHost
  /** Registrations by the local part. */
  readonly handles = new Map<string, Envelope>()
  readonly deleted = new Set<string>()
  /** The keys that handed their handle over, and to which: 64 digits each. */
  readonly moved = new Map<string, string>()
  /** Manifests by the 64 digits of their owner, oldest first. */
  readonly manifests = new Map<string, ReadonlyArray<Stored>>()
  urls: Urls = { tcp: [], websocket: [], sigServer: "" }
  readonly #now: () => number

  constructor(name: string, now: () => number) {
    this.name = name
    this.#now = now
    this.http = new HttpHost((asked) => this.#answer(asked), now)
  }

  /** What else ends with an old key. */
  onMoved: (old: string) => void = () => undefined

  /** The handle of one key is another's from now on. */
  handOver(old: string, registration: Envelope): void {
    this.handles.set(String(registration.payload["handle"]), registration)
    this.moved.set(old, String(registration.payload["primary"]).replace("ed25519:", ""))
    this.manifests.delete(old)
    this.onMoved(old)
  }

  isRegistered(account: string): boolean {
    return this.#nameOf(`ed25519:${account}`) !== undefined
  }

  description(): object {
    const { sigServer, tcp, websocket } = this.urls
    return { server: this.name, broker: { tcp, websocket }, sig_server: sigServer, limits: { retention_days: 30 } }
  }

  /** The record of a registration, with members changed. */
  record(registration: Envelope, change: object = {}): object {
    const primary = String(registration.payload["primary"])
    const hex = primary.replace("ed25519:", "")
    const { sigServer, tcp, websocket } = this.urls
    return {
      handle: `${String(registration.payload["handle"])}@${this.name}`,
      primary,
      registered_at: timeOf(this.#now()),
      sigchain_url: `${sigServer}/v1/sigchains/ed25519/${hex}`,
      endpoints: [{ protocol: "nats", url: tcp[0], ws_url: websocket[0], inbox: `kez.inbox.${hex}` }],
      registration,
      ...change
    }
  }

  putManifest(owner: string, bytes: Uint8Array, revision: number): Stored {
    const stored = { revision, hash: blake3Of(bytes), bytes }
    this.manifests.set(owner, [...(this.manifests.get(owner) ?? []), stored])
    return stored
  }

  #nameOf(primary: string): string | undefined {
    for (const [name, { payload }] of this.handles) if (payload["primary"] === primary) return name
    return undefined
  }

  #answer(asked: HttpAsked): Reply {
    const path = decodeURIComponent(asked.path.split("?")[0] ?? "")
    const [, area = "", ...rest] = path.split("/").slice(1)
    const { method } = asked
    if (path === "/.well-known/kez-chat") return json(this.description())
    if (path === "/v1/healthz") return json({})
    if (method === "POST" && area === "register") return this.#register(asked.text)
    if (method === "GET" && area === "u") return this.#lookUp(rest.join("/"))
    if (method === "POST" && area === "transfer") return this.#transfer(asked.text)
    if (method === "GET" && area === "by-primary") {
      const primary = rest.join("/")
      if (this.moved.has(primary.replace("ed25519:", ""))) return problem(410, "primary_moved")
      return this.#found(this.#nameOf(primary))
    }
    if ((method === "POST" && area === "delete") || (method === "DELETE" && area === "u"))
      return this.#delete(asked.text)
    if (area === "manifests") return this.#manifest(asked, rest)
    return problem(404, "not_found")
  }

  #found(name: string | undefined): Reply {
    const registration = name === undefined ? undefined : this.handles.get(name)
    if (registration !== undefined) return json(this.record(registration))
    return name !== undefined && this.deleted.has(name)
      ? problem(410, "handle_deleted")
      : problem(404, "handle_not_found")
  }

  #lookUp(handle: string): Reply {
    const [local = "", server] = handle.split("@")
    if (server !== undefined && server !== this.name) return problem(404, "not_local")
    return this.#found(local)
  }

  #register(text: string): Reply {
    let registration: Envelope
    try {
      registration = JSON.parse(text) as Envelope
      if (!isSigned(registration)) return problem(401, "signature_invalid")
    } catch {
      return problem(400, "envelope_malformed")
    }
    const { created_at, handle, primary, server } = registration.payload as Record<string, string>
    if (handle === undefined || primary === undefined) return problem(400, "envelope_malformed")
    if (server !== this.name) return problem(400, "wrong_server")
    if (this.#nameOf(primary) === handle) return json(this.record(this.handles.get(handle)!))
    if (Math.abs(Date.parse(created_at ?? "") - this.#now()) > 300_000) return problem(400, "clock_skew")
    if (this.deleted.has(handle)) return problem(410, "handle_deleted")
    if (this.handles.has(handle)) return problem(409, "handle_taken")
    if (this.#nameOf(primary) !== undefined) return problem(409, "primary_taken")
    this.handles.set(handle, registration)
    return json(this.record(registration), 201)
  }

  #transfer(text: string): Reply {
    let both: { readonly registration: Envelope; readonly transfer: Envelope }
    try {
      both = JSON.parse(text) as typeof both
      if (!isSigned(both.transfer) || !isSigned(both.registration) || !isTransferAccepted(both.transfer.payload))
        return problem(401, "signature_invalid")
    } catch {
      return problem(400, "envelope_malformed")
    }
    const { registration, transfer } = both
    const { handle = "", new: next = "", primary = "", server } = transfer.payload as Record<string, string>
    const fits = registration.payload["handle"] === handle && registration.payload["primary"] === next
    if (!fits || transfer.signature.key !== primary) return problem(400, "envelope_malformed")
    if (server !== this.name) return problem(400, "wrong_server")
    if (this.#nameOf(next) === handle) return json(this.record(this.handles.get(handle)!))
    const isOff = ({ payload }: Envelope) => Math.abs(Date.parse(String(payload["created_at"])) - this.#now()) > 300_000
    if (this.moved.has(primary.replace("ed25519:", ""))) return problem(410, "primary_moved")
    if (this.#nameOf(primary) !== handle) return problem(403, "unauthorized")
    if (this.#nameOf(next) !== undefined) return problem(409, "primary_taken")
    if (isOff(transfer) || isOff(registration)) return problem(400, "clock_skew")
    this.handOver(primary.replace("ed25519:", ""), registration)
    return json(this.record(registration))
  }

  #delete(text: string): Reply {
    try {
      const { payload } = JSON.parse(text) as Envelope
      this.handles.delete(String(payload["handle"]))
      this.deleted.add(String(payload["handle"]))
      return { status: 204 }
    } catch {
      return problem(400, "envelope_malformed")
    }
  }

  #manifest(asked: HttpAsked, [system, owner = "", hash]: ReadonlyArray<string>): Reply {
    if (system !== "ed25519") return problem(404, "not_found")
    const all = this.manifests.get(owner) ?? []
    if (asked.method === "PUT") {
      if (!this.isRegistered(owner)) return problem(404, "handle_not_found")
      const { payload } = JSON.parse(asked.text) as Envelope
      const revision = Number(payload["revision"])
      const newest = all.at(-1)
      if (newest?.hash === blake3Of(asked.body)) return json({ revision, hash: newest.hash })
      if (newest !== undefined && newest.revision >= revision) return problem(409, "manifest_conflict")
      return json({ revision, hash: this.putManifest(owner, asked.body, revision).hash }, 201)
    }
    const found = hash === undefined ? all.at(-1) : all.find((one) => one.hash === `blake3:${hash}`)
    if (found === undefined) return problem(404, "manifest_not_found")
    const etag = `"${found.hash}"`
    if (asked.headers["if-none-match"] === etag) return { status: 304, headers: { etag } }
    return { status: 200, headers: { "content-type": "application/json", etag }, body: found.bytes }
  }
}
