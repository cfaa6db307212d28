/** Fetches offered and listed files, and saves them. */
import type { FetchProgress, OfferedFile } from "@kez-chat/sdk"
import { FileName } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as path from "node:path"
import { ExitCode } from "../../ExitCode.ts"
import { describe, fail, type Failure, usage } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import type { FetchPart, SaveTerms } from "../../owner/Files.ts"
import { type Access, access, type Services, untilLost } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Profile from "../../profile/Profile.ts"
import * as Shapes from "../../terminal/output/Json.ts"
import { Signals } from "../../Signals.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import * as Meter from "../../terminal/progress/Meter.ts"
import * as Quantity from "../../terminal/output/Quantity.ts"
import * as Sanitise from "../../terminal/output/Sanitise.ts"
import { note, result, Screen } from "../../terminal/output/Screen.ts"
import * as Show from "../../terminal/output/Show.ts"
import { reasonOf } from "../../SystemError.ts"
import { caughtUp, withAccess } from "../WithAccess.ts"
import * as Offers from "./Offers.ts"
import * as SavePlan from "./SavePlan.ts"

export interface Input {
  readonly what: Option.Option<string>
  readonly to: Option.Option<string>
  readonly name: Option.Option<string>
  readonly overwrite: boolean
  readonly keepBoth: boolean
  readonly discard: boolean
}

/** Offers shown when nothing is said. */
const shownOffers = 20

const list: Effect.Effect<void, Failure, Services> = withAccess({ command: "fetch" }, ({ chat, place }) =>
  Effect.gen(function* () {
    yield* caughtUp(chat)
    const offers = yield* Offers.all(chat, place)
    const open = offers.filter(({ saved }) => saved === undefined)
    const shown = open.slice(-shownOffers)
    yield* result({
      json: () => ({
        offers: offers.map(({ message, contact, saved }) => ({
          message: Shapes.message(message),
          contact: Shapes.contact(contact),
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
          `    ${CommandLine.line(place.name, `fetch ${CommandLine.argument(Show.shortId(last.message.id))}`)}`
        ]
      }
    })
  })
)

const transfer = (progress: FetchProgress) => {
  const { file, owner, state, reason, haveBytes, totalBytes } = progress
  const who = Show.name(owner)
  const phases = {
    waiting: `waiting for ${who}`,
    connecting: `connecting to ${who}`,
    receiving: "receiving",
    complete: "received"
  }
  return {
    label: Show.fileName({ name: file.name }),
    phase: phases[state],
    kind: state === "waiting" ? ("wait" as const) : state === "connecting" ? ("step" as const) : ("bytes" as const),
    reason: reason === undefined ? undefined : Sanitise.line(reason),
    doneBytes: haveBytes,
    totalBytes
  }
}

/** A path as a person reads it: from where they stand, when it lies there. */
const shownPath = (cwd: string, file: string): string => {
  const relative = path.relative(cwd, file)
  return Sanitise.line(relative.startsWith("..") || path.isAbsolute(relative) ? file : relative)
}

/** What a person said should happen to files that are there already. */
interface Wanted {
  readonly folder: string
  readonly name: string | undefined
  /** What to do with a file that is there and differs; undefined to ask. */
  readonly existing: SavePlan.Answer | undefined
}

/** Fetches one file to where it shall lie; `noted` hears how far it is, for what is said when it is stopped. */
const transferTo = (
  session: Access,
  what: string,
  to: SaveTerms,
  meter: Meter.Meter,
  noted: (part: FetchPart) => void
): Effect.Effect<void, Failure, Screen | Host> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    const { cwd } = yield* Host
    const { json } = yield* settings
    let label = ""
    let waited = false
    let arrived = false
    const onPart = (part: FetchPart): Effect.Effect<void, Failure> =>
      Effect.suspend(() => {
        arrived ||= part._tag === "Saving"
        noted(part)
        if (json) return screen.out(`${Sanitise.json(Shapes.fetchPart(part))}\n`)
        switch (part._tag) {
          case "Progress": {
            const shown = transfer(part.progress)
            label = shown.label
            if (shown.kind !== "wait" || waited) return meter.show(shown)
            waited = true
            const who = Show.name(part.progress.owner)
            const hint = `Waiting for ${who}. It goes on by itself; Ctrl-C stops it, and what has arrived is kept.`
            return Effect.andThen(meter.show(shown), meter.say(screen.errStyle.dim(hint)))
          }
          case "Saving": {
            const { doneBytes, totalBytes } = part
            return meter.show({ label, phase: "decrypting", kind: "bytes", doneBytes, totalBytes })
          }
          case "Saved":
            return Effect.andThen(
              meter.clear,
              screen.out(
                `${screen.style.good("Saved")} ${shownPath(cwd, part.path)} ${screen.style.dim(`(${Quantity.bytes(part.size)})`)}\n`
              )
            )
        }
      })
    const parts = session.files.fetchTo(what, to)
    const kept =
      "It has arrived and is kept: the same command with another --to or --name saves it, --discard removes it."
    yield* Stream.runForEach(parts, onPart).pipe(
      Effect.tapError((error) =>
        arrived && error._tag === "FileError" && error.reason !== "exists"
          ? Effect.andThen(meter.clear, note(kept))
          : Effect.void
      )
    )
  })

/** A message that names the file may be on its way still. */
const withNews = <A, R>(session: Access, attempt: Effect.Effect<A, Failure, R>) =>
  attempt.pipe(
    Effect.catchIf(
      (error) => error._tag === "Problem" && (error.code === "file_not_found" || error.code === "no_content_key"),
      () => Effect.andThen(caughtUp(session.chat), attempt)
    )
  )

const differs = (at: string) =>
  fail(
    "file_exists",
    ExitCode.failed,
    `${Sanitise.line(at)}: another file of this name is there: --overwrite replaces it, --keep-both saves beside it, --name gives another name, --to another folder`
  )

const letters: Readonly<Record<string, SavePlan.Answer>> = { r: "replace", k: "keep-both", s: "skip" }

/** Asks what to do with a file that is there and differs; a capital letter answers for all that follow. */
const asking = (wanted: Wanted, meter: Meter.Meter) =>
  Effect.gen(function* () {
    const asker = yield* Ask
    const { cwd } = yield* Host
    const { json } = yield* settings
    let answer = wanted.existing
    const question: (at: string) => Effect.Effect<SavePlan.Answer, Failure> = Effect.fnUntraced(function* (at) {
      if (answer !== undefined) return answer
      if (json || !(yield* asker.possible)) return yield* differs(at)
      yield* meter.clear
      for (;;) {
        const typed = (yield* asker.line(
          `${shownPath(cwd, at)} is here already and differs. (r)eplace it, (k)eep both, (s)kip? A capital answers for all: `
        )).trim()
        const given = letters[typed.toLowerCase()[0] ?? ""]
        if (given === undefined) continue
        if (typed[0] !== typed[0]!.toLowerCase()) answer = given
        return given
      }
    })
    return question
  })

/** A failure that every other file would meet too, or that ends the session. */
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

/** What is remembered of a command from one owner of the profile to the next. */
interface Progressed {
  readonly plan: SavePlan.SavePlan
  /** Targets that need no more work. */
  readonly done: Set<string>
  readonly failed: Map<string, Failure>
}

/** Fetches one file unless it is here; a name that is taken in the meantime is found another answer for. */
const one = (
  session: Access,
  target: Offers.Target,
  wanted: Wanted,
  { plan }: Progressed,
  meter: Meter.Meter,
  ask: (at: string) => Effect.Effect<SavePlan.Answer, Failure>,
  noted: (part: FetchPart) => void
): Effect.Effect<void, Failure, Screen | Host> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    const { cwd } = yield* Host
    const { json } = yield* settings
    const { folder } = wanted
    // What is offered by its id or a ticket is known once the fetch has begun.
    let file = target.file
    const hear = (part: FetchPart) => {
      if (part._tag === "Progress") file = part.progress.file
      if (part._tag === "Saved") plan.claim(part.path)
      noted(part)
    }
    const named = (known: OfferedFile): SavePlan.Named => ({
      name: wanted.name ?? known.name,
      size: known.size,
      ...(target.within === undefined ? {} : { within: target.within })
    })
    const isSame = (at: string) =>
      Effect.andThen(
        meter.show({
          label: shownPath(cwd, at),
          phase: "comparing",
          kind: "step",
          reason: undefined,
          doneBytes: 0,
          totalBytes: 0
        }),
        session.files.matches(target.what, at)
      )
    const attempt: Effect.Effect<void, Failure, Screen | Host> = Effect.gen(function* () {
      if (file === undefined) {
        const name = wanted.name === undefined ? {} : { name: wanted.name }
        return yield* transferTo(session, target.what, { folder, overwrite: false, ...name }, meter, hear)
      }
      const step = yield* plan.step(named(file), isSame, ask)
      if (step._tag === "Save") {
        const { name, overwrite, within } = step
        return yield* transferTo(session, target.what, { folder, within, name, overwrite }, meter, hear)
      }
      plan.claim(step.path)
      yield* meter.clear
      if (json) {
        return yield* screen.out(`${Sanitise.json({ event: "skipped", path: step.path, file: Shapes.file(file) })}\n`)
      }
      const why = step.because === "same" ? "here already" : "left as it is"
      yield* meter.say(screen.errStyle.dim(`${why}: ${shownPath(cwd, step.path)}`))
    })
    const isTaken = (error: Failure) => error._tag === "FileError" && error.reason === "exists"
    yield* Effect.retry(attempt, { while: isTaken, times: 3 })
  })

/** Says of a file that it was not saved, and goes on. */
const sayFailed = (target: Offers.Target, error: Failure, meter: Meter.Meter): Effect.Effect<void, Failure, Screen> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    const { json } = yield* settings
    const description = describe(error)
    yield* meter.clear
    if (json) {
      const file = target.file === undefined ? {} : { file: Shapes.file(target.file) }
      return yield* screen.out(`${Sanitise.json({ event: "failed", ...file, error: description })}\n`)
    }
    const name =
      target.file === undefined ? target.what : Offers.pathOf({ name: target.file.name, folder: target.within })
    yield* meter.say(
      screen.errStyle.caution(`not saved: ${Show.fileName({ name })}: ${Sanitise.line(description.message)}`)
    )
  })

const someFailed = (failures: ReadonlyMap<string, Failure>, total: number): Failure => {
  const descriptions = [...failures.values()].map(describe)
  const codes = new Set(descriptions.map(({ code }) => code))
  const exits = new Set(descriptions.map(({ exit }) => exit))
  const [first] = descriptions
  return fail(
    codes.size === 1 ? first!.code : "some_failed",
    exits.size === 1 ? first!.exit : ExitCode.failed,
    `${Quantity.count(failures.size, "file")} of ${total} not saved; the same command tries again`
  )
}

/** Fetches all that is meant, with the next owner of the profile when one ends. One file never stops the others. */
const fetchAll = (
  what: string,
  wanted: Wanted,
  noted: (part: FetchPart) => void
): Effect.Effect<void, Failure, Services> =>
  Effect.suspend(() => {
    const progressed: Progressed = { plan: SavePlan.make(wanted.folder), done: new Set(), failed: new Map() }
    let announced = false
    return Effect.gen(function* () {
      const session = yield* access({ command: "fetch", answering: true, transfers: true })
      const work = Effect.gen(function* () {
        const targets = (yield* Offers.resolve(session.chat, session.place, what)).toSorted(Offers.inOrder)
        if (wanted.name !== undefined && targets.length > 1) {
          return yield* usage(`${what} is a folder of ${targets.length} files: leave --name out`)
        }
        if (targets.length > 1 && !announced) {
          announced = true
          const size = targets.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
          yield* note(`${Quantity.count(targets.length, "file")}, ${Quantity.bytes(size)}`)
        }
        const meter = yield* Meter.open
        const ask = yield* asking(wanted, meter)
        for (const target of targets) {
          if (progressed.done.has(target.what)) continue
          const fetching = withNews(session, one(session, target, wanted, progressed, meter, ask, noted))
          const error = yield* fetching.pipe(
            Effect.as(undefined),
            Effect.catchIf(
              (error) => targets.length > 1 && !endsAll(error),
              (error) => Effect.succeed(error)
            )
          )
          progressed.done.add(target.what)
          if (error === undefined) continue
          progressed.failed.set(target.what, error)
          yield* sayFailed(target, error, meter)
        }
        if (progressed.failed.size > 0) return yield* someFailed(progressed.failed, targets.length)
      })
      return yield* untilLost(session, work)
    }).pipe(Effect.scoped, Effect.repeat({ while: (end) => end === "lost" }), Effect.asVoid)
  })

const discard = (what: string): Effect.Effect<void, Failure, Services> =>
  withAccess({ command: "fetch" }, ({ chat, place }) =>
    Effect.gen(function* () {
      const targets = yield* Offers.resolve(chat, place, what)
      for (const target of targets) yield* chat.discard(target.what)
      yield* result({
        json: () => ({ discarded: targets.map(({ what: id }) => id) }),
        text: () => "Removed what had arrived of it."
      })
    })
  )

/** The folder to save in: it must be there, so that a typing error does not become a folder. */
const folderOf = (input: Input): Effect.Effect<string, Failure, Host> =>
  Effect.gen(function* () {
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

/** The name to save under: as it was typed or not at all, unlike a name that somebody else chose. */
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

export const fetch = (input: Input): Effect.Effect<void, Failure, Services | Signals> =>
  Effect.gen(function* () {
    if (Option.isNone(input.what)) {
      if (input.discard) return yield* usage("--discard needs to know of what: say the offer, entry or ticket")
      return yield* list
    }
    const what = input.what.value
    if (input.discard) return yield* discard(what)
    const folder = yield* folderOf(input)
    if (input.overwrite && input.keepBoth) return yield* usage("--overwrite and --keep-both say opposite things")
    const existing = input.overwrite ? "replace" : input.keepBoth ? "keep-both" : undefined
    const wanted: Wanted = { folder, name: yield* nameOf(input), existing }
    const signals = yield* Signals
    let latest: FetchPart | undefined
    const noted = (part: FetchPart) => {
      latest = part
    }
    const signal = yield* signals.untilSignal(fetchAll(what, wanted, noted))
    if (signal !== undefined) return yield* stopped(what, latest, signal)
  })

/** What a person who ended it wants to know: whether anything is lost, and how to go on. */
const stopped = (what: string, latest: FetchPart | undefined, signal: ExitCode): Effect.Effect<never, Failure, Host> =>
  Effect.gen(function* () {
    const again = CommandLine.line(yield* Profile.current, `fetch ${CommandLine.argument(Offers.shortened(what))}`)
    const progress = latest?._tag === "Progress" ? latest.progress : undefined
    return yield* fail(
      "interrupted",
      signal,
      progress === undefined || progress.haveBytes === 0
        ? `stopped; \`${again}\` tries again`
        : `stopped at ${Quantity.percent(progress.haveBytes, progress.totalBytes)}%: what arrived is kept, and \`${again}\` goes on from there`
    )
  })
