/** Metrics of a server's database and its disk. */
import * as Effect from "effect/Effect"
import type { Database } from "../storage/Database.ts"
import { sample, type Sample } from "./Metrics.ts"

/** What cannot be read is left out. */
export const databaseSamples = ({ isWorking, size }: Database["Service"]): Effect.Effect<ReadonlyArray<Sample>> => {
  const help = "Whether the server's database takes reads and writes"
  const working = sample("kez_database_working", help, isWorking() ? 1 : 0)
  return size.pipe(
    Effect.map(({ bytes, freeBytes }) => [
      working,
      sample("kez_database_bytes", "Size of the server's database, without its write-ahead log", bytes),
      ...(freeBytes === undefined
        ? []
        : [sample("kez_disk_free_bytes", "Room on the disk of the server's file", freeBytes)])
    ]),
    Effect.catchCause(() => Effect.succeed([working]))
  )
}
