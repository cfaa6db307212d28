/** The flags that every command takes, before or after its name. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Context from "effect/Context"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Print JSON: one object, or one per line for streams"),
    Flag.withDefault(false)
  )
})

export const Quiet = GlobalFlag.Setting("quiet")({
  flag: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"),
    Flag.withoutNegation,
    Flag.withDescription("Print results and errors only"),
    Flag.withDefault(false)
  )
})

export const ProfileName = GlobalFlag.Setting("profile")({
  flag: Flag.String("profile").pipe(
    Flag.withAlias("p"),
    Flag.withMetavar("NAME"),
    Flag.withDescription("The account to use on this machine (KEZ_PROFILE; default: default)"),
    Flag.optional
  )
})

export const HomeUrl = GlobalFlag.Setting("home")({
  flag: Flag.String("home").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("The home server (KEZ_HOME)"),
    Flag.optional
  )
})

export const Relay = GlobalFlag.Setting("relay")({
  flag: Flag.String("relay").pipe(
    Flag.withMetavar("POLICY"),
    Flag.withDescription("Relays for transfers: default, direct, only, or relay URLs separated by commas (KEZ_RELAY)"),
    Flag.optional
  )
})

export const PassphraseFd = GlobalFlag.Setting("passphrase-fd")({
  flag: Flag.Int("passphrase-fd").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Read the passphrase from this file descriptor (or from the file KEZ_PASSPHRASE_FILE)"),
    Flag.optional
  )
})

export const NoInput = GlobalFlag.Setting("no-input")({
  flag: Flag.Boolean("no-input").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Never ask; fail if an answer is needed"),
    Flag.withDefault(false)
  )
})

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
