/**
 * The home server's keys: towards its broker six nkeys and one xkey, those that sign acceptances, and the internal
 * listener's bearer secret, one file each in a folder of their own.
 *
 * Files are 0600 in a 0700 folder, appear whole or not at all, and are never overwritten: of two processes that create
 * them, the later reads what the earlier wrote. No seed is ever printed, logged or put in an error.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createHash, createHmac, randomBytes, type KeyObject } from "node:crypto"
import { chmod, link, mkdir, open, readdir, readFile, stat, unlink } from "node:fs/promises"
import { join } from "node:path"
import { Limits, Nkey } from "@kez-chat/sdk/protocol"
import * as NkeySeed from "./NkeySeed.ts"
import * as RawKeys from "./RawKeys.ts"

/** A key of the home server: `publicNkey` goes into nats.conf, `key` signs or agrees on secrets. */
export interface ServerKey {
  readonly publicNkey: string
  readonly key: KeyObject
}

export interface BrokerKeys {
  /** Account key that signs users' JWTs and the callout's answers. */
  readonly issuer: ServerKey
  /** Answers logins. */
  readonly callout: ServerKey
  /** Creates, inspects and purges the inbox stream. */
  readonly registrar: ServerKey
  /** Stores what users send and reads pages for them. */
  readonly gateway: ServerKey
  /** Closes connections. */
  readonly sys: ServerKey
  /** Reads snapshots of the inbox stream; absent until `init` has run since this key exists. No server uses it. */
  readonly backup?: ServerKey
  /** X25519: the broker seals login requests to it. */
  readonly xkey: ServerKey
  readonly acceptance: AcceptanceKeys
  /** Bearer secret of the internal listener, 43 base64url characters. */
  readonly internalSecret: Redacted.Redacted<string>
}

/** The keys under which users can show that this home accepted a message (spec/broker.md, Acceptance). */
export interface AcceptanceKeys {
  /** Signs; absent until `init` has run since this key exists. */
  readonly signing?: KeyObject
  /** The 32 public bytes of the keys to publish: the one that signs, then earlier ones, `acceptance-*.nk`. */
  readonly published: ReadonlyArray<Uint8Array>
}

type Public<K extends keyof BrokerKeys> = { readonly [Name in K]: string } & { readonly backup?: string }

/** The roles that reach a stream. */
type StreamRole = "registrar" | "gateway" | "backup"

/** The public halves, which nats.conf needs. */
export type PublicKeys = Public<Exclude<keyof BrokerKeys, "internalSecret" | "acceptance" | "backup">> & {
  /** Those for the streams after the first, one for each; see {@link ofPartition}. */
  readonly partitions?: ReadonlyArray<Public<"registrar" | "gateway">>
}

/** A key file is missing, damaged or open to others. The message says which and what to do; it never holds a seed. */
export class KeysError extends Data.TaggedError("KeysError")<{
  readonly reason: "missing" | "malformed" | "permissions" | "io"
  readonly path: string
  readonly detail: string
}> {
  override get message(): string {
    return `${this.path}: ${this.detail}`
  }
}

const files = {
  issuer: { file: "issuer.nk", role: "account" },
  callout: { file: "callout.nk", role: "user" },
  registrar: { file: "registrar.nk", role: "user" },
  gateway: { file: "gateway.nk", role: "user" },
  sys: { file: "sys.nk", role: "user" },
  backup: { file: "backup.nk", role: "user" },
  xkey: { file: "callout.xk", role: "curve" }
} as const satisfies Record<Name, { file: string; role: NkeySeed.KeyRole }>

type Name = Exclude<keyof BrokerKeys, "internalSecret" | "acceptance">

const names = Object.keys(files) as Array<Name>

/** `issuer` is the path of that key's file, if it is not in the folder. */
const pathOf = (folder: string, issuer: string | undefined, name: Name): string =>
  name === "issuer" && issuer !== undefined ? issuer : join(folder, files[name].file)

/** The file with the internal listener's bearer secret, for operators' scripts. */
export const internalSecretFile = "internal.secret"

const acceptanceFile = "acceptance.nk"
const earlierAcceptance = /^acceptance-[A-Za-z0-9_-]{1,64}\.nk$/
/** Reads the keys and makes those that are missing; running it again changes nothing. */
export const create = Effect.fn("Keys.create")(function* (folder: string, issuer?: string) {
  yield* attempt(folder, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await chmod(folder, 0o700)
    for (const name of names) await writeOnce(pathOf(folder, issuer, name), NkeySeed.generate(files[name].role))
    await writeOnce(join(folder, acceptanceFile), NkeySeed.generate("user"))
    await writeOnce(join(folder, internalSecretFile), randomBytes(32).toString("base64url"))
  })
  return yield* load(folder, issuer)
})

/** Reads the keys; fails when one is missing, damaged, or readable by other users of the machine. */
export const load = Effect.fn("Keys.load")(function* (folder: string, issuer?: string) {
  const entries: Array<[string, ServerKey]> = []
  for (const name of names) {
    const key = loadKey(pathOf(folder, issuer, name), files[name].role)
    const found = yield* name === "backup" ? ifThere(key) : key
    if (found !== undefined) entries.push([name, found])
  }
  const path = join(folder, internalSecretFile)
  const secret = yield* readSecret(path)
  if (!/^[A-Za-z0-9_-]{43}$/.test(secret)) {
    const detail = "not a secret made by `init`; remove it and run `init`"
    return yield* new KeysError({ reason: "malformed", path, detail })
  }
  return {
    ...(Object.fromEntries(entries) as unknown as Omit<BrokerKeys, "internalSecret" | "acceptance">),
    acceptance: yield* acceptanceKeys(folder),
    internalSecret: Redacted.make(secret)
  } satisfies BrokerKeys
})

const ifThere = <A>(key: Effect.Effect<A, KeysError>) =>
  Effect.catchIf(
    key,
    ({ reason }) => reason === "missing",
    () => Effect.undefined
  )

const acceptanceKeys = Effect.fnUntraced(function* (folder: string) {
  const signing = yield* ifThere(loadKey(join(folder, acceptanceFile), "user"))
  const earlier = (yield* attempt(folder, () => readdir(folder))).filter((file) => earlierAcceptance.test(file)).sort()
  const others = yield* Effect.forEach(earlier, (file) => loadKey(join(folder, file), "user"))
  const all = [...(signing === undefined ? [] : [signing]), ...others]
  if (all.length > Limits.acceptanceKeys) {
    const detail = `holds ${all.length} keys acceptance*.nk, and at most ${Limits.acceptanceKeys} can be published: remove the oldest`
    return yield* new KeysError({ reason: "malformed", path: folder, detail })
  }
  return {
    ...(signing === undefined ? {} : { signing: signing.key }),
    published: all.map(({ key }) => RawKeys.publicBytes(key))
  } satisfies AcceptanceKeys
})

/** The public halves of a set of keys, for a home with this number of streams. */
export const publicKeys = (keys: BrokerKeys, partitions = 1): PublicKeys => ({
  ...(publicHalves(keys) as PublicKeys),
  ...(partitions === 1
    ? {}
    : {
        partitions: Array.from({ length: partitions - 1 }, (_, i) =>
          publicHalves(ofPartition(keys, i + 1))
        ) as PublicKeys["partitions"] & {}
      })
})

const publicHalves = (keys: Partial<Record<Name, ServerKey>>): unknown =>
  Object.fromEntries(names.flatMap((name) => (keys[name] === undefined ? [] : [[name, keys[name].publicNkey]])))

/**
 * The keys that reach one of several streams, from 0. Those of the first are in the folder; the others are derived from
 * them, so that a folder serves any number of streams.
 */
export const ofPartition = (keys: BrokerKeys, partition: number): Pick<BrokerKeys, StreamRole> => {
  const { backup, gateway, registrar } = keys
  if (partition === 0) return { registrar, gateway, ...(backup === undefined ? {} : { backup }) }
  const derive = (role: StreamRole, { key }: ServerKey) => derivedKey(key, `kez-chat ${role} of stream ${partition}`)
  return {
    registrar: derive("registrar", registrar),
    gateway: derive("gateway", gateway),
    ...(backup === undefined ? {} : { backup: derive("backup", backup) })
  }
}

const derivedKey = (from: KeyObject, label: string): ServerKey => {
  const seed = createHmac("sha256", from.export({ format: "der", type: "pkcs8" }))
    .update(label)
    .digest()
  const key = RawKeys.privateKey("ed25519", seed)
  seed.fill(0)
  return { publicNkey: Nkey.encode("user", RawKeys.publicBytes(key)), key }
}

/** Names a home by its keys folder, to whoever has it; it tells others nothing. */
export const homeId = ({ issuer }: BrokerKeys): string =>
  createHash("sha256").update(`kez-home ${issuer.publicNkey}`).digest("base64url").slice(0, 22)

const loadKey = Effect.fnUntraced(function* (path: string, role: NkeySeed.KeyRole) {
  const seed = NkeySeed.decode(role, yield* readSecret(path))
  if (seed === undefined) {
    return yield* new KeysError({ reason: "malformed", path, detail: "is damaged; restore it from a backup" })
  }
  const key = RawKeys.privateKey(role === "curve" ? "x25519" : "ed25519", seed)
  seed.fill(0)
  return { publicNkey: Nkey.encode(role, RawKeys.publicBytes(key)), key }
})

const readSecret = Effect.fnUntraced(function* (path: string) {
  const { mode } = yield* attempt(path, () => stat(path))
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    const detail = `is open to other users of this machine (mode ${(mode & 0o777).toString(8)}); run: chmod 600 "${path}"`
    return yield* new KeysError({ reason: "permissions", path, detail })
  }
  return (yield* attempt(path, () => readFile(path, "utf8"))).trim()
})

const attempt = <A>(path: string, f: () => Promise<A>): Effect.Effect<A, KeysError> =>
  Effect.tryPromise({
    try: f,
    catch: (cause) => {
      const code = (cause as NodeJS.ErrnoException).code
      return code === "ENOENT"
        ? new KeysError({ reason: "missing", path, detail: "is missing; `kez-chat-server init` creates it" })
        : new KeysError({ reason: "io", path, detail: `cannot be used (${code ?? "unknown error"})` })
    }
  })

/** Writes a temporary file, syncs it, and links it into place unless the name is taken. */
const writeOnce = async (path: string, text: string): Promise<void> => {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`
  const handle = await open(temporary, "wx", 0o600)
  try {
    await handle.writeFile(`${text}\n`)
    await handle.sync()
    await handle.close()
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  } finally {
    await handle.close().catch(() => undefined)
    await unlink(temporary)
  }
}
