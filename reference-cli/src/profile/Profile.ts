/** One account on this machine: its handle, home and vault. It holds no secret, so `whoami` needs no passphrase. */
import type { Account } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import * as path from "node:path"
import { CliFailure, fail, usage } from "../Failure.ts"
import { settings } from "../Flags.ts"
import { Host } from "../Host.ts"
import * as CommandLine from "./CommandLine.ts"
import * as Ownership from "./Ownership.ts"
import * as Paths from "./Paths.ts"
import * as PrivateFile from "./PrivateFile.ts"
import { attempt } from "../SystemError.ts"

/** Where the seed is stored: in a passphrase-encrypted file of the profile, or in the OS keychain. */
export type VaultPlace = { readonly kind: "file" } | { readonly kind: "keychain"; readonly entry: string }

export interface Profile {
  readonly version: 1
  /** Absent until `restore` has found it. */
  readonly handle?: string
  readonly primary: string
  /** Base URL of the home server. */
  readonly home: string
  readonly device?: string
  /** Progress of the account's creation; `published` is complete. */
  readonly step: Account["step"]
  readonly vault: VaultPlace
}

const maxBytes = 16_384

const text = (value: unknown): value is string => typeof value === "string" && value.length < 1024

const parsePlace = (value: unknown): VaultPlace | undefined => {
  const { kind, entry } = (value ?? {}) as { readonly kind?: unknown; readonly entry?: unknown }
  if (kind === "file") return { kind }
  return kind === "keychain" && text(entry) ? { kind, entry } : undefined
}

const parse = (json: unknown): Profile | undefined => {
  const { version, handle, primary, home, device, step, vault } = (json ?? {}) as {
    readonly [K in keyof Profile]?: unknown
  }
  const vaultPlace = parsePlace(vault)
  if (version !== 1 || !text(primary) || !text(home) || vaultPlace === undefined) return undefined
  if (step !== "created" && step !== "registered" && step !== "published") return undefined
  return {
    version,
    primary,
    home,
    step,
    vault: vaultPlace,
    ...(text(handle) ? { handle } : {}),
    ...(text(device) ? { device } : {})
  }
}

/** The profile name that this command was given. */
export const current: Effect.Effect<string, never, Host> = Effect.gen(function* () {
  const { env } = yield* Host
  const { profile } = yield* settings
  return profile ?? (env["KEZ_PROFILE"] || CommandLine.defaultProfile)
})

/** The paths of the profile that this command was given. */
export const currentPaths: Effect.Effect<Paths.ProfilePaths, CliFailure, Host> = Effect.gen(function* () {
  const host = yield* Host
  const name = yield* current
  if (!Paths.isProfileName(name)) {
    return yield* usage(
      `${JSON.stringify(name)} is not a profile name: use up to 32 of a-z, 0-9, ".", "_" and "-", starting with a letter or digit`
    )
  }
  return Paths.ofProfile(host, name)
})

const io = <A>(what: string, run: () => A) => attempt("file", `cannot ${what}`, run)

/** The stored profile, or none. */
export const load = Effect.fn("Profile.load")(function* (
  paths: Paths.ProfilePaths
): Effect.fn.Return<Option.Option<Profile>, CliFailure> {
  const problem = yield* io(`look at the profile ${paths.name}`, () => Ownership.problemOf(paths))
  if (problem !== undefined) return yield* fail("profile_insecure", "refused", problem)
  const found = yield* io(`read ${paths.profile}`, () => PrivateFile.read(paths.profile, maxBytes))
  if (found === undefined) return Option.none()
  const profile = yield* Effect.sync(() => {
    try {
      return parse(JSON.parse(found))
    } catch {
      return undefined
    }
  })
  if (profile === undefined) {
    return yield* fail(
      "profile_damaged",
      "failed",
      `${paths.profile} is damaged: repair it, or move it away and restore the account from its words`
    )
  }
  return Option.some(profile)
})

/** Stores the profile and creates its folders. */
export const save = (paths: Paths.ProfilePaths, profile: Profile): Effect.Effect<void, CliFailure> =>
  io("write the profile", () => {
    for (const folder of paths.folders) PrivateFile.makeFolder(folder)
    PrivateFile.replace(paths.profile, JSON.stringify(profile, null, 2) + "\n")
  })

/** Creates the profile's folders, for files that are written before the profile. */
export const makeFolders = (paths: Paths.ProfilePaths): Effect.Effect<void, CliFailure> =>
  io("make the profile's folders", () => {
    for (const folder of paths.folders) PrivateFile.makeFolder(folder)
  })

/** Removes every file of the profile. */
export const erase = (paths: Paths.ProfilePaths): Effect.Effect<void, CliFailure> =>
  io("remove the profile", () => {
    for (const folder of paths.folders) fs.rmSync(folder, { recursive: true, force: true })
  })

/** Whether a file exists; true as well if that cannot be found out. */
const mayBeThere = (file: string): boolean => {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOTDIR"
  }
}

/** Names of the profiles that hold an account, or whose file cannot be examined. */
export const names: Effect.Effect<ReadonlyArray<string>, CliFailure, Host> = Effect.gen(function* () {
  const host = yield* Host
  const folder = path.join(Paths.roots(host).config, "profiles")
  return yield* io(`read ${folder}`, () =>
    (mayBeThere(folder) ? fs.readdirSync(folder) : [])
      .filter((name) => Paths.isProfileName(name) && mayBeThere(Paths.ofProfile(host, name).profile))
      .toSorted()
  )
})

/** A profile by its name; fails if it holds no account. */
export const named = Effect.fn("Profile.named")(function* (
  name: string
): Effect.fn.Return<{ readonly paths: Paths.ProfilePaths; readonly profile: Profile }, CliFailure, Host> {
  const paths = Paths.ofProfile(yield* Host, name)
  const profile = yield* load(paths)
  if (Option.isSome(profile)) return { paths, profile: profile.value }
  return yield* fail("no_account", "noAccount", `the profile ${name} holds no account`)
})

/** The profile of this command. The error names the profiles that exist. */
export const required: Effect.Effect<
  { readonly paths: Paths.ProfilePaths; readonly profile: Profile },
  CliFailure,
  Host
> = Effect.gen(function* () {
  const paths = yield* currentPaths
  const profile = yield* load(paths)
  if (Option.isSome(profile)) return { paths, profile: profile.value }
  const others = yield* names
  return yield* fail(
    "no_account",
    "noAccount",
    others.length === 0
      ? `there is no account here yet: run \`${CommandLine.line(paths.name, "register NAME")}\`, or \`${CommandLine.line(paths.name, "restore")}\` with the words of one`
      : `the profile ${paths.name} holds no account: use --profile with one of ${others.join(", ")}, or register`
  )
})
