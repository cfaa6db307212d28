/** Fetches one file and saves it: progress, the question about an existing file, and what could not be saved. */
import type { FetchProgress, OfferedFile } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as path from "node:path"
import { describe, fail, type Failure } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import type { FetchPart, SaveTerms } from "../../owner/Files.ts"
import type { Access } from "../../owner/Session.ts"
import { Ask } from "../../terminal/input/Ask.ts"
import { Json, note, Quantity, Sanitise, Screen, Show } from "../../terminal/output/index.ts"
import type { Meter } from "../../terminal/progress/Meter.ts"
import { caughtUp } from "../WithAccess.ts"
import * as Offers from "./Offers.ts"
import type * as SavePlan from "./SavePlan.ts"

/** Where a command saves, and the names it has given so far. It outlives an owner that ends in the middle. */
export interface Destination {
  readonly folder: string
  /** Another name than the owner's. Only for a single file. */
  readonly name: string | undefined
  /** What to do with an existing file that differs; undefined to ask. */
  readonly existing: SavePlan.Answer | undefined
  readonly plan: SavePlan.SavePlan
}

export interface Options {
  readonly session: Access
  readonly destination: Destination
  readonly meter: Meter
  /** Called with every step, for the sentence that is printed when the command is interrupted. */
  readonly onPart: (part: FetchPart) => void
}

const transferOf = (progress: FetchProgress) => {
  const { file, owner, state, reason, path: way, haveBytes, totalBytes } = progress
  const who = Show.name(owner)
  const phases = {
    waiting: `waiting for ${who}`,
    connecting: `connecting to ${who}`,
    receiving: way === "relayed" ? "receiving through a relay" : "receiving",
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

/** A path below the working directory is shown relative to it, any other path in full. */
const shownPath = (cwd: string, file: string): string => {
  const relative = path.relative(cwd, file)
  return Sanitise.line(relative.startsWith("..") || path.isAbsolute(relative) ? file : relative)
}

/** Fetches one file to a place that the plan has chosen. */
const transferTo = Effect.fnUntraced(function* ({ session, meter, onPart }: Options, fileRef: string, to: SaveTerms) {
  const screen = yield* Screen
  const { cwd } = yield* Host
  const { json } = yield* settings
  let label = ""
  let hasWaited = false
  let hasArrived = false
  const show = (part: FetchPart): Effect.Effect<void, Failure> =>
    Effect.suspend(() => {
      hasArrived ||= part._tag === "Saving"
      onPart(part)
      if (json) return screen.out(`${Sanitise.json(Json.fetchPart(part))}\n`)
      switch (part._tag) {
        case "Progress": {
          const transfer = transferOf(part.progress)
          label = transfer.label
          if (transfer.kind !== "wait" || hasWaited) return meter.show(transfer)
          hasWaited = true
          const who = Show.name(part.progress.owner)
          const hint = `Waiting for ${who}. It continues by itself; Ctrl-C stops it, and what has arrived is kept.`
          return Effect.andThen(meter.show(transfer), meter.say(screen.errStyle.dim(hint)))
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
  const kept =
    "It has arrived and is kept: the same command with another --to or --name saves it, --discard removes it."
  yield* Stream.runForEach(session.files.fetchTo(fileRef, to), show).pipe(
    Effect.tapError((error) =>
      hasArrived && error._tag === "FileError" && error.reason !== "exists"
        ? Effect.andThen(meter.clear, note(kept))
        : Effect.void
    )
  )
})

/** Tries again after a sync: the message that names the file may not have arrived yet. */
const withNews = <A, R>({ session }: Options, attempt: Effect.Effect<A, Failure, R>) =>
  attempt.pipe(
    Effect.catchIf(
      (error) => error._tag === "Problem" && (error.code === "file_not_found" || error.code === "no_content_key"),
      () => Effect.andThen(caughtUp(session.chat), attempt)
    )
  )

const differs = (at: string) =>
  fail(
    "file_exists",
    "failed",
    `${Sanitise.line(at)}: another file of this name exists: --overwrite replaces it, --keep-both saves beside it, --name gives another name, --to another folder`
  )

const letters: Readonly<Record<string, SavePlan.Answer>> = { r: "replace", k: "keep-both", s: "skip" }

/** Asks what to do with an existing file that differs; a capital letter answers for all that follow. */
const askAboutExisting = Effect.fnUntraced(function* ({ destination, meter }: Options) {
  const asker = yield* Ask
  const { cwd } = yield* Host
  const { json } = yield* settings
  let answer = destination.existing
  const ask: (at: string) => Effect.Effect<SavePlan.Answer, Failure> = Effect.fnUntraced(function* (at) {
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
  return ask
})

const isTaken = (error: Failure) => error._tag === "FileError" && error.reason === "exists"

/** Makes the function that fetches one file, unless it is here already; answers given for all files are remembered in it. */
export const fetcher = Effect.fn("FetchFile.fetcher")(function* (options: Options) {
  const { destination, meter, session } = options
  const { folder, name: chosenName, plan } = destination
  const screen = yield* Screen
  const { cwd } = yield* Host
  const { json } = yield* settings
  const ask = yield* askAboutExisting(options)

  return Effect.fnUntraced(function* (target: Offers.Target) {
    const { fileRef, within } = target
    // What an offer's id or a ticket stands for is known once the fetch has begun.
    let file = target.file
    const noting: Options = {
      ...options,
      onPart: (part) => {
        if (part._tag === "Progress") file = part.progress.file
        if (part._tag === "Saved") plan.claim(part.path)
        options.onPart(part)
      }
    }
    const named = (known: OfferedFile): SavePlan.Named => ({
      name: chosenName ?? known.name,
      size: known.size,
      ...(within === undefined ? {} : { within })
    })
    const isSame = (at: string) =>
      Effect.andThen(
        meter.show({ label: shownPath(cwd, at), phase: "comparing", kind: "step", doneBytes: 0, totalBytes: 0 }),
        session.files.matches(fileRef, at)
      )
    const fetchOne: Effect.Effect<void, Failure, Screen | Host> = Effect.gen(function* () {
      if (file === undefined) {
        const name = chosenName === undefined ? {} : { name: chosenName }
        return yield* transferTo(noting, fileRef, { folder, overwrite: false, ...name })
      }
      const step = yield* plan.step(named(file), isSame, ask)
      if (step._tag === "Save") {
        const { name, overwrite, within } = step
        return yield* transferTo(noting, fileRef, { folder, within, name, overwrite })
      }
      plan.claim(step.path)
      yield* meter.clear
      if (json) {
        return yield* screen.out(`${Sanitise.json({ event: "skipped", path: step.path, file: Json.file(file) })}\n`)
      }
      const why = step.because === "same" ? "here already" : "left as it is"
      yield* meter.say(screen.errStyle.dim(`${why}: ${shownPath(cwd, step.path)}`))
    })
    // A name that is taken in the meantime is planned anew.
    yield* withNews(options, Effect.retry(fetchOne, { while: isTaken, times: 3 }))
  })
})

/** Reports that a file was not saved. */
export const reportFailure = Effect.fn("FetchFile.reportFailure")(function* (
  target: Offers.Target,
  error: Failure,
  meter: Meter
): Effect.fn.Return<void, Failure, Screen> {
  const screen = yield* Screen
  const { json } = yield* settings
  const description = describe(error)
  yield* meter.clear
  if (json) {
    const file = target.file === undefined ? {} : { file: Json.file(target.file) }
    return yield* screen.out(`${Sanitise.json({ event: "failed", ...file, error: description })}\n`)
  }
  const name =
    target.file === undefined ? target.fileRef : Offers.pathOf({ name: target.file.name, folder: target.within })
  yield* meter.say(
    screen.errStyle.caution(`not saved: ${Show.fileName({ name })}: ${Sanitise.line(description.message)}`)
  )
})
