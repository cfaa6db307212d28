/** Checks everything a working account needs, and says how to repair what is broken. */
import { HomeNetwork } from "@kez-chat/sdk/node"
import type { BlobInfo, Directory } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { ExitCode } from "../../ExitCode.ts"
import { describe, fail } from "../../Failure.ts"
import { directoryOf, transportOf } from "../../owner/LocalKezChat.ts"
import { type Access, access, findOwner, type Services } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Home from "../../profile/Home.ts"
import type { ProfilePaths } from "../../profile/Paths.ts"
import { isOpenToOthers } from "../../profile/PrivateFile.ts"
import * as Profile from "../../profile/Profile.ts"
import * as RelayPolicy from "../../profile/RelayPolicy.ts"
import { InboxWarning, Quantity, result, Sanitise, StoreWarning, type Style } from "../../terminal/output/index.ts"
import { version } from "../../Version.ts"

interface Check {
  readonly name: string
  readonly status: "ok" | "warn" | "fail"
  readonly detail: string
  /** How to repair it. Absent if nothing is wrong. */
  readonly advice?: string
}

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail })
const warn = (name: string, detail: string, advice: string): Check => ({ name, status: "warn", detail, advice })
const bad = (name: string, detail: string, advice: string): Check => ({ name, status: "fail", detail, advice })

/** Clock differences in milliseconds: larger than network delay, and too large for registrations. */
const skewNoticeMillis = 30_000
const skewLimitMillis = 300_000
const onlineMillis = 15_000

const versions = ok("versions", `kez-chat ${version}, Node ${process.version}, ${process.platform} ${process.arch}`)

const files = (paths: ProfilePaths): Check => {
  const open = [...paths.folders, paths.profile, paths.seed, paths.store].filter(isOpenToOthers)
  return open.length === 0
    ? ok("files", paths.folders.join(", "))
    : warn("files", `others on this machine can read ${open.join(", ")}`, `chmod -R go= ${open.join(" ")}`)
}

/** Free bytes of the disk below which space is short, and below which hardly anything can be received. */
const diskNoticeBytes = 64 * 1024 * 1024
const diskLimitBytes = 512 * 1024

/** Free space on the disk that receives messages. A missing folder gives no result. */
const disk = ({ store }: ProfilePaths): ReadonlyArray<Check> => {
  try {
    const { bavail, bsize } = fs.statfsSync(path.dirname(store))
    const free = bavail * bsize
    const detail = `${Quantity.bytes(free)} free for ${store}`
    if (free >= diskNoticeBytes) return [ok("disk", detail)]
    return free < diskLimitBytes
      ? [bad("disk", detail, "free some space: until then messages wait at the home server")]
      : [warn("disk", detail, "free some space: messages wait at the home server when it is full")]
  } catch {
    return []
  }
}

const account = (paths: ProfilePaths, profile: Option.Option<Profile.Profile>): Check => {
  if (Option.isNone(profile))
    return warn(
      "account",
      `the profile ${paths.name} holds none`,
      `${CommandLine.line(paths.name, "register NAME")}, or ${CommandLine.line(paths.name, "restore")}`
    )
  const { handle = "its handle is not known yet", step } = profile.value
  return step === "published"
    ? ok("account", `${handle}, profile ${paths.name}`)
    : warn("account", `${handle} is not complete (${step})`, "run the same register or restore again: it resumes")
}

/** Other profiles that cannot be used, one check each. */
const otherProfiles = Effect.fnUntraced(
  function* (paths: ProfilePaths) {
    const others = (yield* Profile.names).filter((name) => name !== paths.name)
    const found = yield* Effect.forEach(others, (name) =>
      Effect.match(Profile.named(name), {
        onSuccess: () => [],
        onFailure: ({ message }) => [warn(`profile ${name}`, message, `see \`${CommandLine.line(name, "doctor")}\``)]
      })
    )
    return found.flat()
  },
  Effect.catch(({ message }) => Effect.succeed([bad("profiles", message, "fix that, then run doctor again")]))
)

const keychain: Effect.Effect<Check> = Effect.gen(function* () {
  const Keyring = yield* Effect.promise(() => import("@kez-chat/sdk/keyring"))
  const found = yield* Keyring.detect
  return found.available ? ok("keychain", found.name) : ok("keychain", `none: ${found.reason}`)
})

const seed = (paths: ProfilePaths, { vault }: Profile.Profile): Check =>
  vault.kind === "keychain"
    ? ok("seed", "in the OS keychain")
    : fs.existsSync(paths.seed)
      ? ok("seed", `encrypted file ${paths.seed}`)
      : bad("seed", `${paths.seed} is missing`, "restore the account from its words in another profile")

const clock = (directory: Directory["Service"]): Effect.Effect<Check> =>
  Effect.match(directory.clockSkewMillis, {
    onSuccess: (skew) => {
      const detail = `${Math.abs(skew) < 1_000 ? "within a second of" : `${(Math.abs(skew) / 1_000).toFixed(0)} s ${skew > 0 ? "behind" : "ahead of"}`} the home server`
      if (Math.abs(skew) < skewNoticeMillis) return ok("clock", detail)
      return Math.abs(skew) < skewLimitMillis
        ? warn("clock", detail, "set this machine's clock: beyond five minutes registrations are refused")
        : bad("clock", detail, "set this machine's clock: registrations and deletions are refused")
    },
    onFailure: (error) => warn("clock", describe(error).message, "see the check of the home server")
  })

const record = (directory: Directory["Service"], paths: ProfilePaths, profile: Profile.Profile): Effect.Effect<Check> =>
  Effect.match(directory.byPrimary(profile.primary), {
    onSuccess: ({ handle }) =>
      handle === profile.handle
        ? ok("handle", `${handle} is registered for this key`)
        : bad(
            "handle",
            `the home server names ${handle} for this key, not ${profile.handle}`,
            "ask the operator of the home server"
          ),
    onFailure: (error) =>
      error._tag === "Problem"
        ? bad(
            "handle",
            describe(error).message,
            `run \`${CommandLine.line(paths.name, "register NAME")}\` again if it never completed; else ask the operator`
          )
        : warn("handle", describe(error).message, "see the check of the home server")
  })

/** Proxies set in the environment. The broker's connection does not use them. Their URLs may hold a password. */
const proxies = (): ReadonlyArray<Check> => {
  const { http, https } = HomeNetwork.proxiesOf(process.env)
  const hosts = new Set([http, https].flatMap((url) => (url === undefined ? [] : [URL.parse(url)?.host ?? "no URL"])))
  return hosts.size === 0
    ? []
    : [ok("proxy", `HTTP goes through ${[...hosts].join(", ")}; the broker's connection does not`)]
}

/** Checks the home server: its URL, its answer, its clock, and its record of this account. */
const homeChecks = Effect.fnUntraced(function* (paths: ProfilePaths, profile: Profile.Profile | undefined) {
  const found = yield* Effect.result(Home.discover({ profile: profile?.home }))
  if (found._tag === "Failure")
    return [bad("home", describe(found.failure).message, "name it with --home URL or KEZ_HOME")]
  const { url, source } = found.success
  const directory = yield* directoryOf(url)
  const known = yield* Effect.result(directory.wellKnown)
  if (known._tag === "Failure") {
    return [
      bad(
        "home",
        `${describe(known.failure).message} (${url}, from ${source})`,
        "check the URL and your network, or start a local home with `npm start`"
      )
    ]
  }
  const { server, broker, sig_server } = known.success
  const brokerUrls = broker.tcp.length > 0 ? broker.tcp : broker.websocket
  return [
    ok("home", `${server} at ${url} (from ${source})`),
    brokerUrls.length > 0
      ? ok("broker address", brokerUrls.join(", "))
      : bad("broker address", "the home names no address of its broker", "ask the operator of the home server"),
    ok("sig-server", sig_server),
    ...proxies(),
    yield* clock(directory),
    ...(profile === undefined ? [] : [yield* record(directory, paths, profile)])
  ]
})

/** The contents of the blob store, complete and partial. */
const blobs = (session: Access): Effect.Effect<Check> =>
  Effect.match(Stream.runCollect(session.files.blobs), {
    onSuccess: (all) => {
      const part = (of: ReadonlyArray<BlobInfo>) =>
        Quantity.bytes(of.reduce((sum, { storedBytes }) => sum + storedBytes, 0))
      const whole = all.filter(({ complete }) => complete)
      const begun = all.filter(({ complete }) => !complete)
      const rest = begun.length === 0 ? "" : `; ${begun.length} partial, ${part(begun)}`
      return ok("blobs", `${whole.length} in ${session.paths.blobs}, ${part(whole)}${rest}`)
    },
    onFailure: (error) =>
      bad("blobs", describe(error).message, "check that the disk is not full and the folder can be read")
  })

/** Opens an endpoint under a temporary key: two with the account's key would take each other's connections. */
const transfers = Effect.fnUntraced(
  function* (session: Access) {
    const policy = RelayPolicy.parse(session.relay) ?? RelayPolicy.direct
    const what = RelayPolicy.describe(policy)
    const endpoint = yield* transportOf(policy).open(Redacted.make(new Uint8Array(randomBytes(32))))
    const { direct, relayUrl } = yield* endpoint.addresses
    const { IrohBlobTransport } = yield* Effect.promise(() => import("@kez-chat/sdk/iroh"))
    const { fault } = yield* IrohBlobTransport.available
    const iroh = `${endpoint.binding ?? "compatible"} Iroh${fault === undefined ? "" : `: ${fault}`}`
    const where = [...(relayUrl === undefined ? [] : [relayUrl]), ...direct].join(", ")
    const serving = (yield* session.files.serving) ? "serving now" : "not serving now"
    if (policy.relay !== "direct" && relayUrl === undefined) {
      return warn(
        "transfers",
        `${what}: no relay answers`,
        "check your network, or another --relay; direct connections still work"
      )
    }
    return where === ""
      ? warn("transfers", `${what}: this machine has no address`, "check your network")
      : ok("transfers", `${what}; ${iroh}; ${serving} (${where})`)
  },
  Effect.scoped,
  Effect.timeoutOption(onlineMillis),
  Effect.match({
    onSuccess: (found) =>
      Option.getOrElse(found, () => warn("transfers", "no answer in 15 s", "check your network, or another --relay")),
    onFailure: (error) => bad("transfers", describe(error).message, "files can be neither served nor fetched here")
  })
)

/** How full the inbox at the home is. */
const room = ({ chat, paths }: Access): Effect.Effect<Check> =>
  chat.inbox.pipe(
    Effect.timeoutOption(onlineMillis),
    Effect.match({
      onSuccess: (found) => {
        if (Option.isNone(found)) return warn("room", "no answer in 15 s", "try again")
        const { mail, sent } = found.value
        const detail = `mail ${Quantity.percent(mail.used, mail.limit)} %, sent ${Quantity.percent(sent.used, sent.limit)} % of the room at the home`
        const [first] = InboxWarning.warnings(found.value, (words) => CommandLine.line(paths.name, words))
        return first === undefined ? ok("room", detail) : warn("room", detail, first)
      },
      onFailure: (error) =>
        warn("room", `not known: ${describe(error).message}`, "the home server may be of an older version")
    })
  )

/** Logs in at the broker and reads the stream, which is everything a message needs. */
const brokerChecks = (paths: ProfilePaths): Effect.Effect<ReadonlyArray<Check>, never, Services> =>
  onlineChecks(paths).pipe(
    Effect.scoped,
    Effect.catch((error) => {
      const { exit, message } = describe(error)
      const detail = `not tried: ${message}`
      return Effect.succeed([
        exit === ExitCode.locked
          ? warn("broker login", detail, `run \`${CommandLine.line(paths.name, "unlock")}\`, then doctor again`)
          : bad("broker login", detail, "fix that, then run doctor again")
      ])
    })
  )

const onlineChecks = Effect.fnUntraced(function* (paths: ProfilePaths) {
  const owner = yield* findOwner(paths)
  const who =
    owner === undefined
      ? ok("owner", "no command is running for this profile")
      : ok("owner", `kez-chat ${owner.info.command}, process ${owner.info.pid}`)
  const session = yield* access({ command: "doctor" })
  const { chat } = session
  const files = [yield* blobs(session), yield* transfers(session)]
  const settled = yield* chat.connection.pipe(
    Stream.filter(({ _tag }) => _tag === "Online" || _tag === "Offline"),
    Stream.runHead,
    Effect.timeoutOption(onlineMillis),
    Effect.map(Option.flatten)
  )
  if (Option.isNone(settled))
    return [
      who,
      bad("broker login", "no answer in 15 s", "check that a firewall lets the broker's address through"),
      ...files
    ]
  const state = settled.value
  if (state._tag !== "Online") {
    const detail = state._tag === "Offline" ? state.error.detail : state._tag
    const isEvicted = state._tag === "Offline" && state.error.reason === "evicted"
    return [
      who,
      bad(
        "broker login",
        detail,
        isEvicted
          ? "end programs that use this account elsewhere: a home keeps eight connections of an account open"
          : "check the broker's address above and your network; a refused login means an unregistered or revoked key"
      ),
      ...files
    ]
  }
  const synced = yield* Effect.result(Effect.timeoutOption(chat.sync, onlineMillis))
  const stream =
    synced._tag === "Failure"
      ? synced.failure._tag === "StoreError"
        ? bad("inbox", StoreWarning.sentence(synced.failure, paths), "fix that, and it resumes by itself")
        : bad(
            "inbox",
            describe(synced.failure).message,
            "try again; if it fails again, tell the operator of the home server"
          )
      : Option.isNone(synced.success)
        ? warn("inbox", "still being read after 15 s", `wait for it: \`${CommandLine.line(paths.name, "listen")}\``)
        : ok("inbox", "read to its end")
  return [who, ok("broker login", state.url), stream, yield* room(session), ...files]
})

const marks = (style: Style): Readonly<Record<Check["status"], string>> => ({
  ok: style.good("ok  "),
  warn: style.caution("warn"),
  fail: style.bad("FAIL")
})

export const doctor = Effect.fn("doctor")(function* () {
  const paths = yield* Profile.currentPaths
  const loaded = yield* Effect.result(Profile.load(paths))
  const profile = loaded._tag === "Success" ? loaded.success : Option.none<Profile.Profile>()
  const known = Option.getOrUndefined(profile)
  const complete = known !== undefined && known.step !== "created"
  const checks: ReadonlyArray<Check> = [
    versions,
    files(paths),
    ...disk(paths),
    loaded._tag === "Failure" ? bad("account", describe(loaded.failure).message, "see above") : account(paths, profile),
    yield* keychain,
    ...(known === undefined ? [] : [seed(paths, known)]),
    ...(yield* otherProfiles(paths)),
    ...(yield* homeChecks(paths, known)),
    ...(complete ? yield* brokerChecks(paths) : [])
  ]
  const failed = checks.filter(({ status }) => status === "fail").length
  const width = Math.max(...checks.map(({ name }) => name.length))
  yield* result({
    json: () => ({ ok: failed === 0, checks }),
    text: (style) =>
      checks.flatMap(({ name, status, detail, advice }) => [
        `${marks(style)[status]}  ${name.padEnd(width)}  ${Sanitise.line(detail)}`,
        ...(advice === undefined ? [] : [`${" ".repeat(width + 8)}${style.bold("->")} ${Sanitise.line(advice)}`])
      ])
  })
  if (failed > 0) yield* fail("doctor", "failed", `${failed} of ${checks.length} checks failed`)
})
