/**
 * Tickets open the vault again without a secret, after a reload or in the tab that takes the account over.
 *
 * A ticket is the vault's key, sealed under a key that this browser keeps and cannot show. Pages keep the ticket in
 * `sessionStorage`, so neither alone opens anything; locking removes the key and with it the worth of every ticket.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as AesGcm from "../../adapters/indexeddb/AesGcm.ts"
import { open as openDatabase } from "../../adapters/indexeddb/Database.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"

const recordKey = "key"
const purpose = Bytes.utf8("kez-chat/web-ticket/1")

const record = (database: string, put?: CryptoKey): Promise<unknown> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(openDatabase(database, 1), (opened) =>
        opened.transact("readwrite", "relaxed", ({ entries, on }) => {
          let found: unknown = put
          if (put !== undefined) entries.put(put, recordKey)
          else on(entries.get(recordKey), (value: unknown) => (found = value))
          return () => found
        })
      )
    )
  )

export const seal = async (database: string, vaultKey: Uint8Array): Promise<string> => {
  const kept = await record(database)
  const key = kept instanceof CryptoKey ? kept : await AesGcm.importKey(crypto.getRandomValues(new Uint8Array(32)))
  if (key !== kept) await record(database, key)
  return Bytes.toBase64Url(await AesGcm.seal(key, purpose, vaultKey))
}

/** The vault's key, or undefined if the ticket is of another time. */
export const open = async (database: string, ticket: string): Promise<Uint8Array | undefined> => {
  const key = await record(database)
  const sealed = Bytes.fromBase64Url(ticket)
  return key instanceof CryptoKey && Result.isSuccess(sealed) ? AesGcm.open(key, purpose, sealed.success) : undefined
}
