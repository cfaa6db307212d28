/** Building blocks of command definitions. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Param from "effect/cli/Param"
import { Parameters } from "../Arguments.ts"
import type { Failure } from "../Failure.ts"
import { flag, withSettings } from "../Flags.ts"

/**
 * A command that also records its parameters in {@link Parameters}, by which its command line is sorted before parsing.
 * `load` imports the handler, so that a start pays only for the module of its own command.
 */
export const command = <const Name extends string, const Config extends Readonly<Record<string, Param.Any>>, R>(
  name: Name,
  config: Config,
  load: () => Promise<(input: Command.Command.Config.Infer<Config>) => Effect.Effect<void, Failure, R>>
) =>
  Command.make(name, config, (input) => withSettings(Effect.flatMap(Effect.promise(load), (run) => run(input)))).pipe(
    Command.annotate(Parameters, Object.values(config))
  )

export { flag, numberFlag, textFlag } from "../Flags.ts"

export const who = Argument.String("who").pipe(Argument.withDescription("A contact: name, name@server or its key"))
export const offline = flag("offline", "Use only data on this machine")

/** Longest time that a flag accepts: anything longer is a typing error. */
const longestTime = Duration.days(365)

/** `8h`, `30m`, `90s`, `500ms`, `1d`, up to {@link longestTime}. */
const time = (text: string): Option.Option<Duration.Duration> => {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  const millis = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ""]
  if (millis === undefined) return Option.none()
  const found = Duration.millis(Number(count) * millis)
  return Duration.isGreaterThan(found, longestTime) ? Option.none() : Option.some(found)
}

export const timeFlag = (name: string, description: string, fallback: Duration.Duration) =>
  Flag.String(name).pipe(
    Flag.withMetavar("TIME"),
    Flag.withDescription(description),
    Flag.filterMap(time, () => "a time such as 30s, 15m, 8h or 2d, up to 365d"),
    Flag.withDefault(fallback)
  )

export const natural = (name: string, metavar: string, description: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.filter(
      (value) => value >= minimum && value <= maximum,
      () => `a whole number from ${minimum} to ${maximum}`
    )
  )
