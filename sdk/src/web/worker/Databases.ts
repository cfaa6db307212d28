/** The databases of an account in this browser. */
import * as Effect from "effect/Effect"
import { open } from "../../adapters/indexeddb/Database.ts"
import { prefix } from "../../client/internal/rows/Message.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { prefixEnd } from "../../services/LocalStore.ts"

export interface Databases {
  readonly vault: string
  readonly store: string
  /** The key of tickets. */
  readonly tickets: string
}

export const databasesOf = (name: string): Databases => ({
  vault: `${name}/vault`,
  store: `${name}/store`,
  tickets: `${name}/tickets`
})

/** Removes a database; connections of other tabs are closed. Idempotent. */
export const remove = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.addEventListener("success", () => resolve())
    request.addEventListener("error", () => reject(request.error))
  })

/** The keys of the store are readable while the account is locked. */
export const countMessages = (store: string): Promise<number> => {
  const key = (text: string) => Bytes.utf8(text) as Uint8Array<ArrayBuffer>
  const range = IDBKeyRange.bound(key(prefix.everyMessage), key(prefixEnd(prefix.everyMessage) ?? ""), false, true)
  return Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(open(store, 1), (database) =>
        database.transact("readonly", "relaxed", ({ entries, on }) => {
          let count = 0
          on(entries.count(range), (found) => (count = found))
          return () => count
        })
      )
    )
  )
}
