/**
 * `owner.json`: who holds the profile's lock, and how to reach it. Only the holder of the lock writes it. A file left
 * by a dead owner leads to a socket that does not answer, and the next owner replaces it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { CliFailure } from "../Failure.ts"
import type { Host } from "../Host.ts"
import type { ProfilePaths } from "../profile/Paths.ts"
import * as PrivateFile from "../profile/PrivateFile.ts"
import { attempt } from "../SystemError.ts"

export interface OwnerFile {
  readonly version: 1
  /** Version of the socket's protocol. */
  readonly protocol: number
  readonly pid: number
  readonly command: string
  /** Absent for a command that holds the profile briefly and answers no others. */
  readonly socket?: { readonly address: string; readonly token: string }
}

const parse = (text: string): OwnerFile | undefined => {
  try {
    const { version, protocol, pid, command, socket } = JSON.parse(text) as {
      readonly [K in keyof OwnerFile]?: unknown
    }
    if (version !== 1 || typeof protocol !== "number") return undefined
    if (!Number.isSafeInteger(pid) || typeof command !== "string") return undefined
    const { address, token } = (socket ?? {}) as { readonly address?: unknown; readonly token?: unknown }
    return {
      version,
      protocol,
      pid: pid as number,
      command,
      ...(typeof address === "string" && typeof token === "string" ? { socket: { address, token } } : {})
    }
  } catch {
    return undefined
  }
}

/** The file of the last owner, or undefined. */
export const read = (paths: ProfilePaths): Effect.Effect<OwnerFile | undefined> =>
  Effect.sync(() => {
    try {
      const text = PrivateFile.read(paths.owner, 16_384)
      return text === undefined ? undefined : parse(text)
    } catch {
      return undefined
    }
  })

/** Writes the file until the scope closes. Only for the holder of the lock. */
export const announce = (paths: ProfilePaths, file: OwnerFile): Effect.Effect<void, CliFailure, Scope.Scope> =>
  Effect.acquireRelease(
    attempt("file", `cannot write ${paths.owner}`, () => PrivateFile.replace(paths.owner, JSON.stringify(file) + "\n")),
    () => Effect.sync(() => fs.rmSync(paths.owner, { force: true }))
  )

/** Longest path of a socket: 104 bytes on macOS, 108 on Linux, including the closing zero. */
const maxSocketPath = 103

/**
 * An address to listen on: in the profile's own folder, or, if that path is too long, in a folder of this user below
 * the temporary one. A pipe on Windows has no folder; its name cannot be guessed, and the token guards it.
 */
export const freshAddress = (paths: ProfilePaths, host: Host["Service"]): Effect.Effect<string, CliFailure> =>
  attempt("owner_socket", "no place for the owner's socket", () => {
    const name = randomBytes(12).toString("hex")
    if (host.platform === "win32") return `\\\\.\\pipe\\kez-chat-${name}`
    if (Buffer.byteLength(paths.socket) <= maxSocketPath) {
      // We hold the lock, so a socket here belongs to a dead owner.
      fs.rmSync(paths.socket, { force: true })
      return paths.socket
    }
    const folder = path.join(host.temporary, `kez-chat-${process.getuid?.() ?? 0}`)
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = fs.lstatSync(folder)
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
      throw new Error(`${folder} is not a folder of this user alone`)
    }
    return path.join(folder, `${name}.sock`)
  })
