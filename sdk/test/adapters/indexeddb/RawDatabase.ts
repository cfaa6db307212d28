/** IndexedDB as another program, or another version of this one, uses it. */
import { Effect } from "effect"

const settled = <A>(request: IDBRequest<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result))
    request.addEventListener("error", () => reject(request.error))
  })

let count = 0

/** The name of a database that does not exist. */
export const newName = (): string => `test-${Date.now()}-${count++}`

/** A connection that ignores `versionchange`; `upgrade` runs where the version is new. */
export const connect = (name: string, version?: number, upgrade: (database: IDBDatabase) => void = () => undefined) =>
  Effect.acquireRelease(
    Effect.promise(() => {
      const request = indexedDB.open(name, version)
      request.addEventListener("upgradeneeded", () => upgrade(request.result))
      return settled(request)
    }),
    (database) => Effect.sync(() => database.close())
  )

export const remove = (name: string) => Effect.promise(() => settled(indexedDB.deleteDatabase(name)))

/** The value of a key. */
export const read = (name: string, key: IDBValidKey): Effect.Effect<unknown> =>
  Effect.scoped(
    Effect.flatMap(connect(name), (database) =>
      Effect.promise(() => settled(database.transaction("entries").objectStore("entries").get(key)))
    )
  )

/** Replaces the value of a key. */
export const put = (name: string, key: IDBValidKey, value: unknown) =>
  Effect.scoped(
    Effect.flatMap(connect(name), (database) =>
      Effect.promise(() => settled(database.transaction("entries", "readwrite").objectStore("entries").put(value, key)))
    )
  )
