/** Flags of a command that keeps what it was given, as a comment at the head of the file that it writes. */
import type * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { version } from "../metrics/Metrics.ts"
import type { Kept } from "./Flags.ts"

type Scalar = string | number | boolean
type Settings = Readonly<Record<string, Kept<string> | Kept<number> | Kept<boolean>>>
type ValueOf<K> = K extends Kept<infer A> ? A : never

/** The values that settings come to. */
export type Values<T> = { readonly [K in keyof T]: ValueOf<T[K]> }
/** The same as parsed: absent where neither a flag nor the environment gives a value. */
type Given<T> = { readonly [K in keyof T]: Option.Option<ValueOf<T[K]>> }

/** For `Command.make`. */
export const flagsOf = <T extends Settings>(settings: T) =>
  Object.fromEntries(Object.entries(settings).map(([key, { flag }]) => [key, flag])) as {
    readonly [K in keyof T]: Flag.Flag<Option.Option<ValueOf<T[K]>>>
  }

/** Beside the settings: the version that wrote them. */
const writer = "version"
const head = "# Settings kept for the next run of init: "

/** The comment that {@link settle} reads: the settings that are not their defaults, by flag. */
export const note = <T extends Settings>(settings: T, values: Values<T>): string => {
  const changed = Object.entries(settings).flatMap(([key, { fallback, name }]) => {
    const value = values[key as keyof T] as Scalar
    return value === fallback ? [] : [[name, value]]
  })
  return `${head}${JSON.stringify({ ...Object.fromEntries(changed), [writer]: version })}\n`
}

/** The settings that a file keeps, by flag; those that are missing have their defaults. */
export const keptIn = (text: string): Readonly<Record<string, unknown>> => {
  const line = text.split("\n").find((line) => line.startsWith(head))
  if (line === undefined) return {}
  try {
    return Object(JSON.parse(line.slice(head.length))) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

/** Why settings cannot be kept: a newer version wrote one that this does not know. Undefined when they can. */
export const unknownIn = (settings: Settings, text: string): string | undefined => {
  const names = new Set([writer, ...Object.values(settings).map(({ name }) => name)])
  const before = keptIn(text)
  const strange = Object.keys(before).filter((name) => !names.has(name))
  return strange.length === 0
    ? undefined
    : `was written by init of version ${String(before[writer] ?? "unknown")} with --${strange.join(", --")}, which this version ${version} does not know: install that version again, or restore the backup made before the upgrade`
}

/** What is given, else what `text`, the file of an earlier run, keeps, else the default. */
export const settle = <T extends Settings>(settings: T, given: Partial<Given<T>>, text: string): Values<T> => {
  const before = keptIn(text)
  const valueOf = ([key, { fallback, name }]: readonly [string, Kept<Scalar>]): readonly [string, Scalar] => {
    const value = Option.getOrElse(
      (given[key as keyof T] ?? Option.none()) as Option.Option<Scalar>,
      () => before[name]
    )
    return [key, typeof value === typeof fallback ? (value as Scalar) : fallback]
  }
  return Object.fromEntries((Object.entries(settings) as Array<[string, Kept<Scalar>]>).map(valueOf)) as Values<T>
}
