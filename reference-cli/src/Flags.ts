/** The flags that every command takes, before or after its name. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Context from "effect/Context"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

/** A flag without a value. */
export const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

/** An optional flag whose value is a text. */
export const textFlag = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

/** An optional flag whose value is a whole number. */
export const numberFlag = (name: string, metavar: string, description: string) =>
  Flag.Int(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const Json = GlobalFlag.Setting("json")({
  flag: flag("json", "Print JSON: one object, or one per line for streams")
})
const Quiet = GlobalFlag.Setting("quiet")({
  flag: flag("quiet", "Print results and errors only").pipe(Flag.withAlias("q"))
})
const ProfileName = GlobalFlag.Setting("profile")({
  flag: textFlag("profile", "NAME", "The account to use on this machine (KEZ_PROFILE; default: default)").pipe(
    Flag.withAlias("p")
  )
})
const HomeUrl = GlobalFlag.Setting("home")({ flag: textFlag("home", "URL", "The home server (KEZ_HOME)") })
const Relay = GlobalFlag.Setting("relay")({
  flag: textFlag(
    "relay",
    "POLICY",
    "Relays for transfers: default, direct, only, or relay URLs separated by commas (KEZ_RELAY)"
  )
})
const PassphraseFd = GlobalFlag.Setting("passphrase-fd")({
  flag: numberFlag(
    "passphrase-fd",
    "N",
    "Read the passphrase from this file descriptor (or from the file KEZ_PASSPHRASE_FILE)"
  )
})
const NoInput = GlobalFlag.Setting("no-input")({ flag: flag("no-input", "Never ask; fail if an answer is needed") })

export const all = [Json, Quiet, ProfileName, HomeUrl, Relay, PassphraseFd, NoInput] as const

/** The values of the flags above. */
export interface Settings {
  readonly json: boolean
  readonly quiet: boolean
  readonly profile: string | undefined
  readonly home: string | undefined
  readonly relay: string | undefined
  readonly passphraseFd: number | undefined
  readonly noInput: boolean
}

/** The values without any flag. */
export const defaults: Settings = {
  json: false,
  quiet: false,
  profile: undefined,
  home: undefined,
  relay: undefined,
  passphraseFd: undefined,
  noInput: false
}

/** The flags as one value that needs no service, so that errors after a command can be reported by them too. */
export class CurrentSettings extends Context.Reference<Settings>("@kez-chat/cli/Settings", {
  defaultValue: () => defaults
}) {}

export const settings: Effect.Effect<Settings> = Effect.gen(function* () {
  return yield* CurrentSettings
})

/** Reads the parsed flags into {@link CurrentSettings} for `effect`. */
export const withSettings = Effect.fn("Flags.withSettings")(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const value: Settings = {
    json: yield* Json,
    quiet: yield* Quiet,
    profile: Option.getOrUndefined(yield* ProfileName),
    home: Option.getOrUndefined(yield* HomeUrl),
    relay: Option.getOrUndefined(yield* Relay),
    passphraseFd: Option.getOrUndefined(yield* PassphraseFd),
    noInput: yield* NoInput
  }
  return yield* Effect.provideService(effect, CurrentSettings, value)
})
