/** Metrics of a server's SQLite file and its disk. */
import { statfsSync } from "node:fs"
import { dirname } from "node:path"
import type { Database } from "../storage/Database.ts"
import { sample, type Sample } from "./Metrics.ts"

export const databaseSamples = ({ isWorking, sqlite }: Database["Service"]): ReadonlyArray<Sample> => {
  const help = "Whether the server's file takes reads and writes"
  const working = sample("kez_database_working", help, isWorking() ? 1 : 0)
  try {
    const pages = sqlite.pragma("page_count", { simple: true }) as number
    const pageBytes = sqlite.pragma("page_size", { simple: true }) as number
    const { bavail, bsize } = statfsSync(dirname(sqlite.name))
    return [
      working,
      sample("kez_database_bytes", "Size of the server's file, without its write-ahead log", pages * pageBytes),
      sample("kez_disk_free_bytes", "Room on the disk of the server's file", bavail * bsize)
    ]
  } catch {
    return [working]
  }
}
