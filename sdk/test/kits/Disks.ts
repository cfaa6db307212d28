/** Folders for tests, and disks that are small or cannot be written, where this machine lets us make some. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"

const newFolder = () => mkdtempSync(join(tmpdir(), "kez-disk-"))

/** A new folder, gone with the scope. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(Effect.sync(newFolder), (path) =>
  Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export interface Disk {
  readonly path: string
  /** From now on nothing can be written. */
  readonly freeze: () => void
}

const run = (command: string, ...args: ReadonlyArray<string>) => execFileSync(command, args, { stdio: "ignore" })
const mount = (path: string, bytes: number) => run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path)
const unmount = (path: string) => run("umount", "-l", path)

/** A disk of its own with room for `bytes`. Only where {@link canMount}. */
export const disk = (bytes: number): Effect.Effect<Disk, never, Scope.Scope> =>
  Effect.flatMap(folder, (path) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        mount(path, bytes)
        return { path, freeze: () => run("mount", "-o", "remount,ro", path) }
      }),
      () => Effect.sync(() => unmount(path))
    )
  )

/** Whether this process may mount: as root on Linux, as in most containers with the right to it. */
export const canMount: boolean = (() => {
  const path = newFolder()
  try {
    mount(path, 4096)
    unmount(path)
    return true
  } catch {
    return false
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
})()
