/** Flags, each of which overrides an environment variable. */
import * as Config from "effect/Config"
import * as Flag from "effect/cli/Flag"

/** A flag, whose environment variable is its name in capitals unless another is given. */
type Name = string | readonly [flag: string, env: string]

const namesOf = (name: Name): readonly [flag: string, env: string] =>
  typeof name === "string" ? [name, name.toUpperCase().replaceAll("-", "_")] : name

/** The generated help lists neither defaults nor environment variables, so the description gives both. */
const described = (description: string, env: string, fallback: string | number) =>
  `${description}${fallback === "" ? "" : ` (default ${fallback})`} [env ${env}]`

export const text = (name: Name, fallback: string, description: string): Flag.Flag<string> => {
  const [flag, env] = namesOf(name)
  return Flag.String(flag).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.String(env)),
    Flag.withDefault(fallback)
  )
}

/** A comma-separated list; blanks around items are trimmed. */
export const list = (name: Name, fallback: string, description: string): Flag.Flag<ReadonlyArray<string>> =>
  Flag.map(text(name, fallback, `${description}, separated by commas`), (value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
  )

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

/** A whole number from `least` to `most`. */
export const count = (name: Name, fallback: number, description: string, least = 0, most = Number.MAX_SAFE_INTEGER) => {
  const [flag, env] = namesOf(name)
  return Flag.Int(flag).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.Int(env)),
    Flag.withDefault(fallback),
    Flag.filter(
      (value) => value >= least && value <= most,
      (value) => `--${flag} must be between ${least} and ${most}, not ${value}`
    )
  )
}

/** The values that a record of flags parses to. */
export type Values<T> = { readonly [K in keyof T]: T[K] extends Flag.Flag<infer A> ? A : never }
