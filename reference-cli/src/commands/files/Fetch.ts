/** Fetches offered and listed files, and saves them. */
import { FileName } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import * as path from "node:path"
import { ExitCode } from "../../ExitCode.ts"
import { CliFailure, describe, type Failure, usage } from "../../Failure.ts"
import { Host } from "../../Host.ts"
import type { FetchPart } from "../../owner/Files.ts"
import { type Access, access, type Services, untilLost } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Profile from "../../profile/Profile.ts"
import { Json, note, Quantity, result, Show } from "../../terminal/output/index.ts"
import { Signals } from "../../Signals.ts"
import * as Meter from "../../terminal/progress/Meter.ts"
import { reasonOf } from "../../SystemError.ts"
import { caughtUp, withAccess } from "../WithAccess.ts"
import * as FetchFile from "./FetchFile.ts"
import * as Offers from "./Offers.ts"
import * as SavePlan from "./SavePlan.ts"

export interface Input {
  readonly fileRef: Option.Option<string>
  readonly to: Option.Option<string>
  readonly name: Option.Option<string>
  readonly overwrite: boolean
  readonly keepBoth: boolean
  readonly discard: boolean
}

/** How many offers are listed. */
const shownOffers = 20

const list: Effect.Effect<void, Failure, Services> = withAccess(
  { command: "fetch" },
  Effect.fnUntraced(function* ({ chat, paths }) {
    yield* caughtUp(chat)
    const offers = yield* Offers.all(chat, paths)
    const open = offers.filter(({ saved }) => saved === undefined)
    const shown = open.slice(-shownOffers)
    yield* result({
      json: () => ({
        offers: offers.map(({ message, contact, saved }) => ({
          message: Json.message(message),
          contact: Json.contact(contact),
          ...(saved === undefined ? {} : { saved })
        }))
      }),
      text: (style) => {
        const last = shown.at(-1)
        if (last === undefined) return offers.length === 0 ? "No offers." : "No offers that were not fetched already."
        return [
          ...(open.length > shown.length ? [style.dim(`(${open.length - shown.length} older ones)`)] : []),
          ...shown.map(
            ({ message, contact }) =>
              `${Show.shortId(message.id)}  ${style.dim(`${Show.day(message.arrivedAt)} ${Show.clock(message.arrivedAt)}`)}  ${style.name(Show.name(contact))}  ${style.bold(Show.fileName(message.file))} (${Quantity.bytes(message.file.size)})${contact.state === "requested" ? style.caution("  a stranger: accept them first") : ""}`
          ),
          "",
          `    ${CommandLine.line(paths.name, `fetch ${CommandLine.argument(Show.shortId(last.message.id))}`)}`
        ]
      }
    })
  })
)

/** Failures that would affect every other file too, or that end the session. */
const endsAll = (error: Failure): boolean => {
  switch (error._tag) {
    case "Problem":
    case "BlobStoreError":
      return false
    case "CliFailure":
      return error.code !== "file_exists"
    case "FileError":
      return error.reason === "read_only"
    case "BlobTransportError":
      return error.reason === "unavailable"
    default:
      return true
  }
}

const someFailed = (failures: ReadonlyMap<string, Failure>, total: number): Failure => {
  const descriptions = [...failures.values()].map(describe)
  const codes = new Set(descriptions.map(({ code }) => code))
  const exits = new Set(descriptions.map(({ exit }) => exit))
  const [first] = descriptions
  return new CliFailure({
    code: codes.size === 1 ? first!.code : "some_failed",
    exit: exits.size === 1 ? first!.exit : ExitCode.failed,
    message: `${Quantity.count(failures.size, "file")} of ${total} not saved; the same command tries again`
  })
}

/** Fetches every file of the reference, across changes of the owner. A failed file never stops the others. */
const fetchAll = Effect.fnUntraced(function* (
  fileRef: string,
  destination: FetchFile.Destination,
  onPart: (part: FetchPart) => void
) {
  const done = new Set<string>()
  const failed = new Map<string, Failure>()
  let announced = false

  const withSession = Effect.fnUntraced(function* (session: Access) {
    const targets = (yield* Offers.resolve(session.chat, session.paths, fileRef)).toSorted(Offers.inOrder)
    if (destination.name !== undefined && targets.length > 1) {
      return yield* usage(`${fileRef} is a folder of ${targets.length} files: leave --name out`)
    }
    if (targets.length > 1 && !announced) {
      announced = true
      const size = targets.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
      yield* note(`${Quantity.count(targets.length, "file")}, ${Quantity.bytes(size)}`)
    }
    const meter = yield* Meter.open
    const fetchOne = yield* FetchFile.fetcher({ session, destination, meter, onPart })
    for (const target of targets) {
      if (done.has(target.fileRef)) continue
      const error = yield* fetchOne(target).pipe(
        Effect.as(undefined),
        Effect.catchIf(
          (error) => targets.length > 1 && !endsAll(error),
          (error) => Effect.succeed(error)
        )
      )
      done.add(target.fileRef)
      if (error === undefined) continue
      failed.set(target.fileRef, error)
      yield* FetchFile.reportFailure(target, error, meter)
    }
    if (failed.size > 0) return yield* someFailed(failed, targets.length)
  })

  yield* access({ command: "fetch", answering: true, transfers: true }).pipe(
    Effect.flatMap((session) => untilLost(session, withSession(session))),
    Effect.scoped,
    Effect.repeat({ while: (end) => end === "lost" })
  )
})

const discard = (fileRef: string) =>
  withAccess(
    { command: "fetch" },
    Effect.fnUntraced(function* ({ chat, paths }) {
      const targets = yield* Offers.resolve(chat, paths, fileRef)
      for (const target of targets) yield* chat.discard(target.fileRef)
      yield* result({
        json: () => ({ discarded: targets.map(({ fileRef: id }) => id) }),
        text: () => "Removed what had arrived of it."
      })
    })
  )

/** The folder to save in. It must exist, so that a typing error does not create a folder. */
const folderOf = Effect.fnUntraced(function* (input: Input) {
  const { cwd } = yield* Host
  const given = Option.getOrElse(input.to, () => ".")
  const folder = path.resolve(cwd, given)
  const found = yield* Effect.try({
    try: () => fs.statSync(folder, { throwIfNoEntry: false }),
    catch: (error) => usage(`${given} cannot be saved in: ${reasonOf(error)}`)
  })
  if (found?.isDirectory() === true) return folder
  return yield* usage(
    found === undefined
      ? `there is no folder ${given} to save in: make it first, or name another with --to`
      : `${given} is a file: --to takes a folder, --name the name`
  )
})

/** The name to save under, exactly as typed or not at all, unlike a name that another person chose. */
const nameOf = ({ name }: Input): Effect.Effect<string | undefined, Failure> => {
  const given = Option.getOrUndefined(name)
  if (given === undefined) return Effect.succeed(undefined)
  const safe = FileName.safe(given)
  if (safe === given.normalize("NFC")) return Effect.succeed(given)
  return Effect.fail(
    usage(
      `--name takes a plain name that every system can save, without folders; ${JSON.stringify(Show.fileName({ name: given }))} is none: try ${CommandLine.argument(safe)}, and --to for the folder`
    )
  )
}

export const fetch = Effect.fn("Fetch.fetch")(function* (input: Input) {
  if (Option.isNone(input.fileRef)) {
    if (input.discard) return yield* usage("--discard needs an offer, entry or ticket")
    return yield* list
  }
  const fileRef = input.fileRef.value
  if (input.discard) return yield* discard(fileRef)
  const folder = yield* folderOf(input)
  if (input.overwrite && input.keepBoth) return yield* usage("--overwrite and --keep-both contradict each other")
  const existing = input.overwrite ? "replace" : input.keepBoth ? "keep-both" : undefined
  const destination: FetchFile.Destination = {
    folder,
    name: yield* nameOf(input),
    existing,
    plan: SavePlan.make(folder)
  }
  const signals = yield* Signals
  let latest: FetchPart | undefined
  const signal = yield* signals.untilSignal(fetchAll(fileRef, destination, (part) => void (latest = part)))
  if (signal !== undefined) return yield* stopped(fileRef, latest, signal)
})

/** Says after an interruption whether anything is lost and how to continue. */
const stopped = Effect.fnUntraced(function* (fileRef: string, latest: FetchPart | undefined, signal: ExitCode) {
  const again = CommandLine.line(yield* Profile.current, `fetch ${CommandLine.argument(Offers.shortened(fileRef))}`)
  const progress = latest?._tag === "Progress" ? latest.progress : undefined
  const message =
    progress === undefined || progress.haveBytes === 0
      ? `stopped; \`${again}\` tries again`
      : `stopped at ${Quantity.percent(progress.haveBytes, progress.totalBytes)}%: what arrived is kept, and \`${again}\` goes on from there`
  return yield* new CliFailure({ code: "interrupted", exit: signal, message })
})
