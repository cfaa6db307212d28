/** A device whose store holds as much as years of use leave behind, written as rows and not one message at a time. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Identity } from "@kez-chat/sdk/crypto"
import { MemoryVault } from "@kez-chat/sdk/memory"
import { NodeCrypto, openNode } from "@kez-chat/sdk/node"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { Vault, type Write } from "@kez-chat/sdk/services"
import { SqliteLocalStore } from "@kez-chat/sdk/sqlite"
import * as Trust from "../../src/client/contacts/Trust.ts"
import * as Rows from "../../src/client/internal/rows/index.ts"

export interface Amounts {
  readonly messages: number
  readonly contacts: number
  readonly shares: number
}

const text = "Shall we meet at the station at nine? ".repeat(4)
const seedOf = (n: number) => Redacted.make(new Uint8Array(32).fill(n))
const identityOf = (n: number) => Effect.provide(Identity.fromSeed(seedOf(n)), NodeCrypto.layer)
const me = await Effect.runPromise(identityOf(21))
const friend = await Effect.runPromise(identityOf(22))

/** The contact of all messages. */
export const friendKey = friend.primary

const hexOf = (n: number) => n.toString(16).padStart(64, "0")
const idOf = (n: number) => Buffer.from(n.toString().padStart(16, "0")).toString("base64url")

const put = <A>(key: string, row: Rows.Row<A>, value: A): Write => ({ op: "put", key, value: row.encode(value) })

function* rowsOf({ contacts, messages, shares }: Amounts): Generator<Write> {
  yield put(Rows.key.version, Rows.Version, Rows.version)
  yield put(Rows.key.account, Rows.Account, {
    handle: "alice@localhost",
    primary: me.primary,
    server: "localhost",
    device: idOf(0),
    step: "published",
    createdAt: 1
  })
  yield put(Rows.key.contact(friend.key.hex), Rows.Contact, Trust.newContact(friend.key.hex, "accepted", 1))
  for (let n = 1; n < contacts; n++) {
    const contact = Trust.named(Trust.newContact(hexOf(n), "accepted", n), `contact${n}@localhost`, undefined)
    yield put(Rows.key.contact(hexOf(n)), Rows.Contact, contact)
  }
  for (let n = 1; n <= messages; n++) {
    yield put(Rows.key.message(friend.key.hex, n), Rows.MessageRow, {
      id: idOf(n),
      direction: "in",
      body: { type: "text", text },
      device: idOf(1),
      seq: n,
      hash: hexOf(n),
      createdAt: n,
      arrivedAt: n
    })
  }
  yield put(Rows.key.order, Rows.Order, { next: messages + 1 })
  for (let n = 1; n <= shares; n++) {
    const share: Rows.ShareRow = {
      id: idOf(n),
      hash: hexOf(n),
      blobBytes: 65_552,
      name: `report ${n}.pdf`,
      mediaType: "application/pdf",
      size: 65_536,
      sharedAt: n,
      // A manifest holds some thousand entries at most; the rest of a hundred thousand files cannot be listed.
      listed: "unlisted",
      readers: [{ hex: friend.key.hex, sent: [] }],
      here: true,
      selfKey: Buffer.alloc(80).toString("base64url"),
      anchored: false
    }
    yield put(Rows.key.share(share.id), Rows.Share, share)
    yield put(Rows.key.shareOf(share.hash), Rows.ShareOf, { id: share.id })
  }
}

const rowsOfCommit = 5_000

/** Writes the store of a device that has seen so much. */
export const fill = (dir: string, amounts: Amounts): Promise<void> => {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  return Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const store = yield* SqliteLocalStore.make({ path: join(dir, "store.db"), exclusive: true })
        let writes: Array<Write> = []
        for (const write of rowsOf(amounts)) {
          writes.push(write)
          if (writes.length < rowsOfCommit) continue
          yield* store.commit(writes)
          writes = []
        }
        yield* store.commit(writes)
        yield* store.sync
      })
    )
  )
}

/** Opens the device without a network. */
export const open = (dir: string): Promise<KezChatClient> =>
  openNode({
    home: "http://localhost:9",
    dir,
    offline: true,
    vault: Layer.sync(Vault, () => MemoryVault.make(seedOf(21)))
  })
