/** The paths of a profile's files, by platform. Pure: creates no folder and reads no file. */
import * as path from "node:path"

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly homeDirectory: string
}

/** Base folders; each profile has its own folder in each of them. */
export interface Roots {
  /** Files that a person might edit or back up: which account, which home. */
  readonly config: string
  /** Files that must not be lost: seed and messages. */
  readonly data: string
  /** Files of running processes: lock, socket, log. */
  readonly state: string
}

export interface ProfilePaths {
  readonly name: string
  readonly roots: Roots
  /** The profile's own folders, created with mode 0700. */
  readonly folders: ReadonlyArray<string>
  readonly profile: string
  readonly seed: string
  readonly store: string
  /** A folder of encrypted files: shared ones, and those that are arriving. */
  readonly blobs: string
  /** Which offers were fetched and saved, one per line. */
  readonly saved: string
  readonly lock: string
  readonly owner: string
  readonly socket: string
  readonly log: string
  readonly cursor: string
}

/** The rule for profile names, which are also folder names. */
export const isProfileName = (name: string): boolean => /^[a-z0-9][a-z0-9._-]{0,31}$/.test(name)

/** A relative value of an XDG variable is to be ignored (XDG Base Directory Specification 0.8). */
const absolute = (value: string | undefined, join: path.PlatformPath): string | undefined =>
  value !== undefined && join.isAbsolute(value) ? value : undefined

/** `KEZ_CHAT_DIR` wins everywhere; otherwise each platform's own convention. */
export const roots = ({ env, platform, homeDirectory }: Surroundings): Roots => {
  const join = platform === "win32" ? path.win32 : path.posix
  const override = env["KEZ_CHAT_DIR"]
  if (override) {
    const all = join.resolve(override)
    return { config: all, data: all, state: all }
  }
  if (platform === "darwin") {
    const all = join.join(homeDirectory, "Library", "Application Support", "kez-chat")
    return { config: all, data: all, state: all }
  }
  if (platform === "win32") {
    const roaming = absolute(env["APPDATA"], join) ?? join.join(homeDirectory, "AppData", "Roaming")
    const local = absolute(env["LOCALAPPDATA"], join) ?? join.join(homeDirectory, "AppData", "Local")
    return {
      config: join.join(roaming, "kez-chat"),
      data: join.join(local, "kez-chat"),
      state: join.join(local, "kez-chat")
    }
  }
  const xdg = (name: string, fallback: string) =>
    join.join(absolute(env[name], join) ?? join.join(homeDirectory, fallback), "kez-chat")
  return {
    config: xdg("XDG_CONFIG_HOME", ".config"),
    data: xdg("XDG_DATA_HOME", ".local/share"),
    state: xdg("XDG_STATE_HOME", ".local/state")
  }
}

/** The files of one profile. */
export const ofProfile = (surroundings: Surroundings, name: string): ProfilePaths => {
  const join = surroundings.platform === "win32" ? path.win32 : path.posix
  const all = roots(surroundings)
  const config = join.join(all.config, "profiles", name)
  const data = join.join(all.data, "profiles", name)
  const state = join.join(all.state, "profiles", name)
  return {
    name,
    roots: all,
    folders: [...new Set([config, data, state])],
    profile: join.join(config, "profile.json"),
    seed: join.join(data, "seed.json"),
    store: join.join(data, "chat.db"),
    blobs: join.join(data, "blobs"),
    saved: join.join(data, "saved.jsonl"),
    lock: join.join(state, "owner.lock"),
    owner: join.join(state, "owner.json"),
    socket: join.join(state, "owner.sock"),
    log: join.join(state, "owner.log"),
    cursor: join.join(state, "listen.cursor")
  }
}
