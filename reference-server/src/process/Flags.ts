/** Flags, each of which overrides an environment variable. */
import * as Config from "effect/Config"
import * as Flag from "effect/cli/Flag"
import type * as Option from "effect/Option"

/** A flag, whose environment variable is its name in capitals unless another is given. */
type Name = string | readonly [flag: string, env: string]

const namesOf = (name: Name): readonly [flag: string, env: string] =>
  typeof name === "string" ? [name, name.toUpperCase().replaceAll("-", "_")] : name

/** The generated help lists neither defaults nor environment variables, so the description gives both. */
const described = (description: string, env: string, fallback: string | number) =>
  `${description}${fallback === "" ? "" : ` (default ${fallback})`} [env ${env}]`

const givenText = (name: Name, fallback: string, description: string): Flag.Flag<string> => {
  const [flag, env] = namesOf(name)
  return Flag.String(flag).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.String(env))
  )
}

export const text = (name: Name, fallback: string, description: string): Flag.Flag<string> =>
  givenText(name, fallback, description).pipe(Flag.withDefault(fallback))

/** The items of a comma-separated list; blanks around them are trimmed. */
export const itemsOf = (value: string): ReadonlyArray<string> =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")

const separated = ", separated by commas"

/** A comma-separated list. */
export const list = (name: Name, fallback: string, description: string): Flag.Flag<ReadonlyArray<string>> =>
  Flag.map(text(name, fallback, description + separated), itemsOf)

/** One of a few words. */
export const choice = <const Words extends ReadonlyArray<string>>(
  name: Name,
  words: Words,
  fallback: Words[number],
  description: string
): Flag.Flag<Words[number]> => {
  const [flag, env] = namesOf(name)
  return Flag.Literals(flag, words).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.Literals(words, env)),
    Flag.withDefault(fallback)
  )
}

const givenCount = (
  name: Name,
  fallback: number,
  description: string,
  least = 0,
  most = Number.MAX_SAFE_INTEGER
): Flag.Flag<number> => {
  const [flag, env] = namesOf(name)
  return Flag.Int(flag).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.Int(env)),
    Flag.filter(
      (value) => value >= least && value <= most,
      (value) => `--${flag} must be between ${least} and ${most}, not ${value}`
    )
  )
}

/** A whole number from `least` to `most`. */
export const count = (name: Name, fallback: number, description: string, least?: number, most?: number) =>
  Flag.withDefault(givenCount(name, fallback, description, least, most), fallback)

/** A flag of a command that remembers what it was given at an earlier run. */
export interface Kept<A> {
  readonly name: string
  readonly flag: Flag.Flag<Option.Option<A>>
  readonly fallback: A
}

const keptAs = <A>(name: Name, flag: Flag.Flag<A>, fallback: A): Kept<A> => ({
  name: namesOf(name)[0],
  flag: Flag.optional(flag),
  fallback
})

export const kept = {
  text: (name: Name, fallback: string, description: string) =>
    keptAs(name, givenText(name, fallback, description), fallback),
  /** A comma-separated list, as text: {@link itemsOf} splits it. */
  list: (name: Name, fallback: string, description: string) =>
    keptAs(name, givenText(name, fallback, description + separated), fallback),
  count: (name: Name, fallback: number, description: string, least?: number, most?: number) =>
    keptAs(name, givenCount(name, fallback, description, least, most), fallback),
  /** Off by default; `--no-NAME` turns it off again. */
  on: (name: Name, description: string) => {
    const [flag, env] = namesOf(name)
    const given = Flag.Boolean(flag).pipe(
      Flag.withDescription(described(description, env, "")),
      Flag.withFallbackConfig(Config.Boolean(env))
    )
    return keptAs(name, given, false)
  }
}

/** The values that a record of flags parses to. */
export type Values<T> = { readonly [K in keyof T]: T[K] extends Flag.Flag<infer A> ? A : never }
