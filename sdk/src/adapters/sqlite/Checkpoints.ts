/**
 * Checkpoints of the write-ahead log, off the main thread: a checkpoint writes pages and synchronises two files, for which
 * the program would stand still. A worker with a connection of its own makes them; it starts with the first one, so that a
 * short run never has it. Where it cannot start, SQLite makes them on the main thread when the log is `backstopBytes` long.
 *
 * SQLite begins the log anew only with a commit that finds all of it in the file, and under steady traffic there is always
 * a commit that came during the worker's pass. So a second pass follows, which has only those few to copy, and the next
 * commits wait for it (`ready`), while the main thread goes on.
 *
 * This needs SQLite 3.51.3 or later, which every better-sqlite3 of our range bundles: with two connections that make
 * checkpoints, earlier ones can damage the file when the log begins anew.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"
import type { Write } from "../../services/LocalStore.ts"

/** Size of a page of a new file, in bytes: a commit writes each page that it touches, and most rows are small. */
export const pageBytes = 2_048

/** Length of the log at which SQLite makes a checkpoint itself, in bytes. */
export const backstopBytes = 33_554_432

/** Estimated length of the log at which the worker makes one, in pages: where rows are replaced, it is twice as long. */
const wantedPages = 1_024

// Text, because a bundle of this module has no second file. PASSIVE waits for nobody, and nobody waits for it.
const program = `
const { parentPort, workerData } = require("node:worker_threads")
const database = new (require(workerData.driver))(workerData.path, { fileMustExist: true })
database.pragma("synchronous = NORMAL")
parentPort.on("message", (wanted) => {
  if (!wanted) {
    database.close()
    return parentPort.close()
  }
  try {
    const [{ checkpointed, log }] = database.pragma("wal_checkpoint(PASSIVE)")
    parentPort.postMessage(log - checkpointed)
  } catch {
    // A full disk, say. The next commit asks again.
    parentPort.postMessage(undefined)
  }
})
`

/** Asks for a checkpoint, or for the end. */
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const tell = (worker: Worker, wanted: boolean) => worker.postMessage(wanted)

/**
 * A commit waits for `ready`, and is told to `committed`; `close` ends the worker, before the last connection closes.
 * `path` is absolute.
 */
export const make = (path: string) => {
  /** Estimated pages that are in the log only, and how many they were when the worker was last asked. */
  let pages = 0
  let asked = 0
  let isBusy = false
  let isSecond = false
  let worker: Worker | undefined
  const ready = Latch.makeUnsafe(true)

  const release = () => {
    isSecond = false
    ready.openUnsafe()
    // A program that has nothing else to do ends.
    worker?.unref()
  }

  const start = (): Worker => {
    const driver = createRequire(import.meta.url).resolve("better-sqlite3")
    const started = new Worker(program, { eval: true, execArgv: [], workerData: { driver, path } })
    started.on("message", (left: number | undefined) => {
      if (left !== undefined) pages += left - asked
      // More is left where another process reads, or much was written meanwhile: the next commit asks again.
      if (left !== undefined && !isSecond && pages > 0 && pages < wantedPages) return finish(started)
      isBusy = false
      release()
    })
    // It stays busy: SQLite's own checkpoints take over.
    started.on("error", () => {
      worker = undefined
      release()
    })
    started.unref()
    return started
  }

  const finish = (started: Worker) => {
    isSecond = true
    asked = pages
    ready.closeUnsafe()
    // A commit that waits keeps the program alive.
    started.ref()
    tell(started, true)
  }

  const checkpoint = () => {
    isBusy = true
    asked = pages
    try {
      worker ??= start()
      tell(worker, true)
    } catch {
      worker = undefined
    }
  }

  return {
    ready: ready.await,
    committed: (writes: ReadonlyArray<Write>): void => {
      for (const write of writes) pages += 1 + (write.op === "put" ? write.value.length / pageBytes : 0)
      if (pages >= wantedPages && !isBusy) checkpoint()
    },
    close: Effect.callback<void>((resume) => {
      if (worker === undefined) return resume(Effect.void)
      worker.once("exit", () => resume(Effect.void))
      worker.ref()
      tell(worker, false)
    })
  }
}
