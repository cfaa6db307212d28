/** Offers files to others: encrypts them, stores the encrypted copy, and sends a message that names them. */
import type { Contact, Share } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as path from "node:path"
import { CliFailure, describe, fail, type Failure, usage } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import { type SharePart, unreadableError } from "../../owner/Files.ts"
import { type Access, access, untilLost } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Profile from "../../profile/Profile.ts"
import { Json, note, Quantity, Sanitise, Screen, Show, warn } from "../../terminal/output/index.ts"
import { Signals } from "../../Signals.ts"
import * as Meter from "../../terminal/progress/Meter.ts"
import { reasonOf } from "../../SystemError.ts"
import { contactOf } from "../WithAccess.ts"
import { undelivered } from "./Delivery.ts"
import * as ServedLog from "./ServedLog.ts"

export interface Input {
  /** Contacts, then paths. */
  readonly what: ReadonlyArray<string>
  readonly with: ReadonlyArray<string>
  readonly public: boolean
  readonly unlisted: boolean
  readonly wait: boolean
}

/** The paths to share, and with whom. */
interface Order {
  readonly readers: ReadonlyArray<string>
  /** Absolute paths of readable files and folders. */
  readonly paths: ReadonlyArray<string>
}

const example = (profile: string): string => CommandLine.line(profile, "share @chris report.pdf")

/** Whether a file or folder exists, even if it cannot be accessed. A text that cannot be a path does not. */
const isThere = (file: string): boolean => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    return !["ENAMETOOLONG", "ERR_INVALID_ARG_VALUE"].includes(code)
  }
}

/** Why a path cannot be shared, in a sentence; undefined if it can. */
const unfit = (given: string, file: string, profile: string): string | undefined => {
  try {
    const found = fs.statSync(file)
    if (!found.isFile() && !found.isDirectory()) return `${given} is neither a file nor a folder`
    fs.accessSync(file, found.isDirectory() ? fs.constants.R_OK | fs.constants.X_OK : fs.constants.R_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT" || code === "ENOTDIR") {
      // Bytes of an argument that are not UTF-8 have already become this character.
      if (given.includes("\uFFFD")) {
        return `there is no file ${given}: a name that is not UTF-8 cannot be shared, so rename it first`
      }
      const hint = given.startsWith("@") ? `; contacts come first: ${example(profile)}` : ""
      return `there is no file ${given}${hint}`
    }
    if (code === "EACCES" || code === "EPERM") return `${given} cannot be read: you have no permission to`
    return `${given} cannot be read: ${reasonOf(error)}`
  }
}

/** Contacts come first and begin with `@`. Unless the file is public, a first word without one is a contact too. */
export const order = Effect.fn("Share.order")(function* (
  input: Input,
  cwd: string,
  profile: string
): Effect.fn.Return<Order, Failure> {
  const { what } = input
  const at = (given: string) => path.resolve(cwd, given)
  let split = 0
  while (split < what.length && what[split]!.startsWith("@") && !isThere(at(what[split]!))) split += 1
  if (split === 0 && !input.public && input.with.length === 0) {
    const [first = ""] = what
    const last = what.at(-1) ?? ""
    if (isThere(at(first))) {
      return yield* usage(
        what.length > 1 && !isThere(at(last))
          ? `who may fetch it comes first: ${CommandLine.line(profile, `share ${CommandLine.argument(last)} ${CommandLine.argument(first)}`)}`
          : `say who may fetch it first, as in \`${example(profile)}\`, or --public`
      )
    }
    split = 1
  }
  const readers = [...new Set([...what.slice(0, split), ...input.with])]
  const files = what.slice(split)
  if (files.length === 0) return yield* usage(`say which file, as in \`${example(profile)}\``)
  if (input.unlisted && input.public) return yield* usage("--unlisted and --public contradict each other")
  if (input.wait && readers.length === 0) return yield* usage("--wait is for contacts to fetch it: name them")
  for (const given of files) {
    const problem = unfit(given, at(given), profile)
    if (problem !== undefined) return yield* usage(problem)
  }
  return { readers, paths: [...new Set(files.map(at))] }
})

const names = (contacts: ReadonlyArray<Contact>, isPublic: boolean): string =>
  [...(isPublic ? ["everybody who browses"] : []), ...contacts.map(Show.name)].join(", ")

/** Encrypts and offers one path, and records the results in `made` and `unreadable`. */
const sharePath = Effect.fnUntraced(function* (
  session: Access,
  file: string,
  contacts: ReadonlyArray<Contact>,
  input: Input,
  meter: Meter.Meter,
  made: Array<Share>,
  unreadable: Array<string>
) {
  const screen = yield* Screen
  const { json } = yield* settings
  const before = made.length
  const onPart = (part: SharePart): Effect.Effect<void, Failure> =>
    Effect.suspend(() => {
      if (part._tag === "Shared") made.push(part.share)
      if (part._tag === "Unreadable") unreadable.push(part.path)
      if (json) return screen.out(`${Sanitise.json(Json.sharePart(part))}\n`)
      if (part._tag === "Unreadable") {
        return meter.say(
          screen.errStyle.caution(`not shared: ${Sanitise.line(describe(unreadableError(part)).message)}`)
        )
      }
      return part._tag === "Encrypting"
        ? meter.show({
            label: Show.fileName({ name: part.name }),
            phase: "encrypting",
            kind: "bytes",
            doneBytes: part.doneBytes,
            totalBytes: part.totalBytes
          })
        : Effect.void
    })
  const terms = { with: contacts.map(({ primary }) => primary), public: input.public, unlisted: input.unlisted }
  yield* Stream.runForEach(session.files.shareFile(file, terms), onPart).pipe(
    // The error is about the command line: no request was sent that could be malformed.
    Effect.mapError((error) =>
      error._tag === "Problem" && error.code === "request_malformed" ? usage(error.detail) : error
    )
  )
  if (json) return
  yield* meter.clear
  const shares = made.slice(before)
  const [share] = shares
  if (share === undefined) return
  const { style } = screen
  const isFolder = share.folder !== undefined
  const size = Quantity.bytes(shares.reduce((sum, one) => sum + one.size, 0))
  const what = isFolder
    ? `${style.bold(Show.fileName({ name: share.folder!.split("/")[0]! }))} (${Quantity.count(shares.length, "file")}, ${size})`
    : `${style.bold(Show.fileName(share))} (${size})`
  const id = isFolder ? "" : `  ${style.dim(Show.shortId(share.id))}`
  yield* screen.out(`${style.good("Shared")} ${what} with ${style.name(names(contacts, input.public))}${id}\n`)
})

/** The readers who have not fetched everything. */
const missing = (shares: ReadonlyArray<Share>): ReadonlyArray<string> =>
  shares.flatMap(({ readers }) =>
    readers.filter(({ fetchedAt }) => fetchedAt === undefined).map(({ handle }) => handle)
  )

/** Serves until every reader has fetched every file. */
const untilFetched = Effect.fnUntraced(function* (session: Access, ids: ReadonlySet<string>) {
  const { chat, files } = session
  const meter = yield* Meter.open
  const log = yield* ServedLog.open(meter)
  const isDone = Effect.map(chat.shared, (shares) => missing(shares.filter(({ id }) => ids.has(id))).length === 0)
  const watch = Stream.runForEachWhile(
    chat.events,
    Effect.fnUntraced(function* (event) {
      if (event._tag === "Served" && ids.has(event.share.id)) yield* log.served(event)
      const counts = event._tag === "Served" || event._tag === "Unshared" || event._tag === "Missed"
      return !(counts && (yield* isDone))
    })
  )
  for (;;) {
    // Subscribed before the first look, so that nothing falls between the two.
    const watching = yield* Effect.forkScoped(watch, { startImmediately: true })
    if (yield* isDone) return
    yield* Effect.raceFirst(Fiber.join(watching), files.serve)
    // Events end with the owner as well: the next call to it then fails as lost.
  }
}, Effect.scoped)

const idsOf = (shares: ReadonlyArray<Share>): ReadonlySet<string> => new Set(shares.map(({ id }) => id))

/** Waits, even if the process that held the account ends meanwhile. */
const wait = Effect.fnUntraced(
  function* (ids: ReadonlySet<string>) {
    const session = yield* access({ command: "share", answering: true, transfers: true })
    return yield* untilLost(session, untilFetched(session, ids))
  },
  Effect.scoped,
  Effect.repeat({ while: (end) => end === "lost" }),
  Effect.asVoid
)

/** What others type to fetch it. Ids shown here are those of the list; a contact's offer has another id. */
const invitation = (owner: string, shares: ReadonlyArray<Share>, input: Input): string => {
  if (input.unlisted) return "fetch"
  const [first, ...others] = new Set(shares.map(({ folder, id }) => folder?.split("/")[0] ?? Show.shortId(id)))
  return first === undefined || others.length > 0
    ? `browse ${CommandLine.argument(`@${owner}`)}`
    : `fetch ${CommandLine.argument(`@${owner}/${Sanitise.line(first)}`)}`
}

/** Reports how the files can be fetched once all are shared. */
const outlook = Effect.fnUntraced(function* (session: Access, shares: ReadonlyArray<Share>, input: Input) {
  const { chat, files, paths } = session
  const late = yield* undelivered(chat)
  const { handle } = yield* chat.account
  yield* note(`Others fetch with \`kez-chat ${invitation(Sanitise.line(handle), shares, input)}\`.`)
  const pending = `shared, but it has not reached the home server (${late}): the next command that is online sends it`
  if (input.wait) return yield* late === undefined ? Effect.void : warn(pending)
  if (!(yield* files.serving)) {
    const it = shares.length === 1 ? "It" : "They"
    yield* note(`${it} can be fetched while \`${CommandLine.line(paths.name, "serve")}\` or \`listen\` runs.`)
  }
  if (late !== undefined) return yield* fail("queued", "queued", pending)
})

const notAll = (unreadable: number, shared: number): Failure =>
  fail(
    "some_failed",
    "failed",
    `${Quantity.count(unreadable, "file")} could not be read and ${unreadable === 1 ? "is" : "are"} not shared; ${Quantity.count(shared, "file")} ${shared === 1 ? "is" : "are"}`
  )

export const share = Effect.fn("Share.share")(function* (input: Input) {
  const { cwd } = yield* Host
  const { readers, paths } = yield* order(input, cwd, yield* Profile.current)
  const signals = yield* Signals
  const made: Array<Share> = []
  const unreadable: Array<string> = []
  let waiting = false
  const work = Effect.gen(function* () {
    const session = yield* access({ command: "share", answering: input.wait, transfers: input.wait })
    const contacts = yield* Effect.forEach(readers, (who) => contactOf(session.chat, who))
    const meter = yield* Meter.open
    for (const file of paths) yield* sharePath(session, file, contacts, input, meter, made, unreadable)
    yield* outlook(session, made, input)
    if (!input.wait) return undefined
    waiting = true
    yield* note(
      (style) =>
        `Waiting until ${names(contacts, false)} ${contacts.length === 1 ? "has" : "have"} fetched it. ${style.dim("Ctrl-C ends the wait.")}`
    )
    // In the same session, because commands that rely on this process must not lose it now.
    return yield* untilLost(session, untilFetched(session, idsOf(made)))
  }).pipe(Effect.scoped)
  const signal = yield* signals.untilSignal(
    Effect.gen(function* () {
      if ((yield* work) === "lost") yield* wait(idsOf(made))
      if (unreadable.length > 0) return yield* notAll(unreadable.length, made.length)
    })
  )
  if (signal === undefined) return
  const again = CommandLine.line(yield* Profile.current, "serve")
  const message = waiting
    ? `stopped before everybody had fetched it: it stays shared, and can be fetched while \`${again}\` runs`
    : made.length === 0
      ? "stopped: nothing was shared"
      : `stopped after ${Quantity.count(made.length, "file")}: these stay shared`
  return yield* new CliFailure({ code: "interrupted", exit: signal, message })
})
