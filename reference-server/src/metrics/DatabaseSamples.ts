/** Metrics of a server's database and its disk. */
import * as Effect from "effect/Effect"
import type { Database } from "../storage/Database.ts"
import { sample, type Sample } from "./Metrics.ts"
import type { Room } from "./RoomWatch.ts"

/** What cannot be read is left out. */
export const databaseSamples = ({ isWorking, size }: Database["Service"]): Effect.Effect<ReadonlyArray<Sample>> => {
  const help = "Whether the server's database takes reads and writes"
  const working = sample("kez_database_working", help, isWorking() ? 1 : 0)
  return size.pipe(
    Effect.map(({ bytes, disk }) => [
      working,
      sample("kez_database_bytes", "Size of the server's database, without its write-ahead log", bytes),
      ...(disk === undefined
        ? []
        : [
            sample("kez_disk_bytes", "Size of the disk of the server's file", disk.bytes),
            sample("kez_disk_free_bytes", "Room on the disk of the server's file", disk.freeBytes)
          ])
    ]),
    Effect.catchCause(() => Effect.succeed([working]))
  )
}

/** The disk of a server's file; none where the database is elsewhere. */
export const diskRoom = ({ size }: Database["Service"]): Effect.Effect<ReadonlyArray<Room>> =>
  size.pipe(
    Effect.map(({ disk }) =>
      disk === undefined ? [] : [{ name: "disk of the database", used: disk.bytes - disk.freeBytes, limit: disk.bytes }]
    ),
    Effect.catchCause(() => Effect.succeed([]))
  )
