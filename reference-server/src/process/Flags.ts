/** Flags, each with an environment variable that it overrides. `--help` names both. */
import * as Config from "effect/Config"
import * as Flag from "effect/cli/Flag"

/** The generated help lists neither defaults nor environment variables, so the description gives both. */
const described = (description: string, env: string, fallback: string | number) =>
  `${description}${fallback === "" ? "" : ` (default ${fallback})`} [env ${env}]`

/** A text setting. */
export const text = (name: string, env: string, fallback: string, description: string): Flag.Flag<string> =>
  Flag.String(name).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.String(env)),
    Flag.withDefault(fallback)
  )

/** A comma-separated list; blanks around items are trimmed. */
export const list = (
  name: string,
  env: string,
  fallback: string,
  description: string
): Flag.Flag<ReadonlyArray<string>> =>
  Flag.map(text(name, env, fallback, `${description}, separated by commas`), (value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "")
  )

/** A whole number from `least` to `most`. */
export const count = (
  name: string,
  env: string,
  fallback: number,
  description: string,
  least = 0,
  most = Number.MAX_SAFE_INTEGER
): Flag.Flag<number> =>
  Flag.Int(name).pipe(
    Flag.withDescription(described(description, env, fallback)),
    Flag.withFallbackConfig(Config.Int(env)),
    Flag.withDefault(fallback),
    Flag.filter(
      (value) => value >= least && value <= most,
      (value) => `--${name} must be between ${least} and ${most}, not ${value}`
    )
  )

/** The values that a record of flags parses to. */
export type Values<T> = { readonly [K in keyof T]: T[K] extends Flag.Flag<infer A> ? A : never }
