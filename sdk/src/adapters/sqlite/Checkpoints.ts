/**
 * Checkpoints of the write-ahead log, off the main thread: a checkpoint writes pages and synchronises two files, for which
 * messages would wait. A worker with a connection of its own makes them; it starts with the first one, so that a short run
 * never has it. Where it cannot start, SQLite makes them on the main thread when the log is `backstopPages` long.
 */
import * as Effect from "effect/Effect"
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"
import type { Write } from "../../services/LocalStore.ts"

/** Size of a page of a new file, in bytes: a commit writes each page that it touches, and most rows are small. */
export const pageBytes = 2_048

/** Length of the log at which SQLite makes a checkpoint itself, in pages. */
export const backstopPages = 16_384

/** Estimated length of the log at which the worker makes one, in pages. */
const wantedPages = 2_048

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

/** `committed` is told of every commit; `close` ends the worker, before the last connection closes. */
export const make = (path: string) => {
  let pages = 0
  let asked = 0
  let isBusy = false
  let worker: Worker | undefined

  const start = (): Worker => {
    const driver = createRequire(import.meta.url).resolve("better-sqlite3")
    const started = new Worker(program, { eval: true, workerData: { driver, path } })
    started.on("message", (left: number | undefined) => {
      if (left !== undefined) pages += left - asked
      isBusy = false
    })
    // It stays busy: SQLite's own checkpoints take over.
    started.on("error", () => (worker = undefined))
    // A program that has nothing else to do ends.
    started.unref()
    return started
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
