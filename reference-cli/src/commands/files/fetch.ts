/** Fetches offered and listed files, and saves them. */
import type { FetchProgress } from "@kez-chat/sdk"
import { FileName } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as path from "node:path"
import { ExitCode } from "../../ExitCode.ts"
import { fail, type Failure, usage } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import type { FetchPart } from "../../owner/Files.ts"
import * as Saved from "../../owner/Saved.ts"
import { type Access, access, type Services, untilLost } from "../../owner/Session.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Profile from "../../profile/Profile.ts"
import * as Shapes from "../../Shapes.ts"
import { Signals } from "../../Signals.ts"
import * as Meter from "../../terminal/Meter.ts"
import * as Quantity from "../../terminal/Quantity.ts"
import * as Sanitise from "../../terminal/Sanitise.ts"
import { note, result, Screen } from "../../terminal/Screen.ts"
import * as Show from "../../terminal/Show.ts"
import { caughtUp, withAccess } from "../withAccess.ts"
import * as Offers from "./Offers.ts"

export interface Input {
  readonly what: Option.Option<string>
  readonly to: Option.Option<string>
  readonly name: Option.Option<string>
  readonly overwrite: boolean
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

/** Where the file of a target was saved before, if it is still there as it was. */
const savedAlready = (place: Access["place"], folder: string, { file }: Offers.Target): string | undefined => {
  if (file === undefined) return undefined
  const saved = Saved.read(place.saved).get(file.blobHash)
  if (saved === undefined || !saved.startsWith(folder + path.sep)) return undefined
  return fs.statSync(saved, { throwIfNoEntry: false })?.size === file.size ? saved : undefined
}

interface Place {
  readonly folder: string
  readonly name: string | undefined
  readonly overwrite: boolean
}

/** Fetches one file; `noted` hears how far it is, for what is said when it is stopped. */
const one = (
  session: Access,
  target: Offers.Target,
  to: Place,
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
    const parts = session.files.fetchTo(target.what, {
      folder: to.folder,
      overwrite: to.overwrite,
      ...(target.within === undefined ? {} : { within: target.within }),
      ...(to.name === undefined ? {} : { name: to.name })
    })
    const kept =
      "It has arrived and is kept: the same command with another --to or --name saves it, --discard removes it."
    yield* Stream.runForEach(parts, onPart).pipe(
      Effect.tapError((error) =>
        arrived && error._tag === "FileError" ? Effect.andThen(meter.clear, note(kept)) : Effect.void
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

/** Fetches all that is meant, with the next owner of the profile when one ends. */
const fetchAll = (what: string, to: Place, noted: (part: FetchPart) => void): Effect.Effect<void, Failure, Services> =>
  Effect.gen(function* () {
    const session = yield* access({ command: "fetch", answering: true, transfers: true })
    const { cwd } = yield* Host
    const screen = yield* Screen
    const { json } = yield* settings
    const work = Effect.gen(function* () {
      const targets = yield* Offers.resolve(session.chat, session.place, what)
      if (to.name !== undefined && targets.length > 1) {
        return yield* usage(`${what} is a folder of ${targets.length} files: leave --name out`)
      }
      if (targets.length > 1) {
        const size = targets.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
        yield* note(`${Quantity.count(targets.length, "file")}, ${Quantity.bytes(size)}`)
      }
      const meter = yield* Meter.open
      for (const target of targets) {
        // A folder that was stopped in the middle goes on where it was.
        const saved = targets.length > 1 ? savedAlready(session.place, to.folder, target) : undefined
        if (saved !== undefined && target.file !== undefined && !to.overwrite) {
          if (json) {
            yield* screen.out(`${Sanitise.json({ event: "skipped", path: saved, file: Shapes.file(target.file) })}\n`)
          } else yield* meter.say(screen.errStyle.dim(`here already: ${shownPath(cwd, saved)}`))
          continue
        }
        yield* withNews(session, one(session, target, to, meter, noted))
      }
    })
    return yield* untilLost(session, work)
  }).pipe(Effect.scoped, Effect.repeat({ while: (end) => end === "lost" }), Effect.asVoid)

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
    const found = yield* Effect.sync(() => fs.statSync(folder, { throwIfNoEntry: false }))
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
    const to = { folder, name: yield* nameOf(input), overwrite: input.overwrite }
    const signals = yield* Signals
    let latest: FetchPart | undefined
    const noted = (part: FetchPart) => {
      latest = part
    }
    const signal = yield* signals.untilSignal(fetchAll(what, to, noted))
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
