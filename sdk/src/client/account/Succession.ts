/**
 * Putting the account of this device under its next key: the last step of a rotation, and what the words of the new key
 * do on the account's other devices.
 *
 * The rotation's row holds both seeds until the vault has the new one and the store is the new key's, in this order. So
 * each part can be repeated, and a start that finds the row completes it without the network.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as FormerSeed from "../../crypto/FormerSeed.ts"
import * as Id from "../../crypto/Id.ts"
import * as Identity from "../../crypto/Identity.ts"
import { admitHex } from "../../protocol/identity/KeyAdmission.ts"
import { hexOf, parseEd25519 } from "../../protocol/identity/PrimaryKey.ts"
import { BlobStore, Vault } from "../../services/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger, scanRows, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import { NoAccount } from "../model/index.ts"
import { unknownKey } from "./Registration.ts"

const { key, prefix } = Rows

/** Of the old key's chain, position and publications; other devices of it are not those of the new one. */
const dropped = [prefix.shares, prefix.sharesOf, prefix.entries, prefix.devices, prefix.provings] as const

const deletePrefix = (transaction: Transaction, each: string) =>
  Effect.map(transaction.scan({ prefix: each }), (entries) => {
    for (const entry of entries) transaction.delete(entry.key)
  })

const moveRows = Effect.fnUntraced(function* (transaction: Transaction, from: string, to: string) {
  for (const entry of yield* transaction.scan({ prefix: from })) {
    transaction.putBytes(`${to}${entry.key.slice(from.length)}`, entry.value)
    transaction.delete(entry.key)
  }
})

/** The store, moved to the new key in one commit. */
const moveStore = Effect.fnUntraced(function* (identity: Identity.Identity, rotation: Rows.RotationRow) {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const sendQueue = yield* SendQueue
  const before = yield* account.get
  const oldHex = hexOf(before.primary)
  const now = yield* Clock.currentTimeMillis
  const { head: _, movedTo: __, ...rest } = before
  const row: Rows.AccountRow = {
    ...rest,
    primary: identity.primary,
    // The numbers of a device's messages begin anew with a new key, and so does the device.
    device: yield* Id.make,
    step: rotation.head === undefined ? "registered" : "published",
    ...(rotation.head === undefined ? {} : { head: rotation.head }),
    former: [oldHex, ...(before.former ?? [])]
  }
  yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      account.put(transaction, row)
      transaction.put(key.former(oldHex), Rows.Former, { seed: rotation.former, sealedTo: identity.key.hex, at: now })
      yield* moveRows(transaction, prefix.chain, key.chainOf(oldHex))
      yield* moveRows(transaction, key.chainOf(identity.key.hex), prefix.chain)
      const position = yield* transaction.get(key.position, Rows.Position)
      if (position !== undefined) transaction.put(key.formerPosition(oldHex), Rows.Position, position)
      for (const each of [key.position, key.manifest, key.manifestBody, key.rotation]) transaction.delete(each)
      for (const each of dropped) yield* deletePrefix(transaction, each)
      const queued = yield* scanRows(transaction, { prefix: prefix.out }, Rows.Out)
      const waiting = new Set(queued.flatMap(({ row }) => (row.copies.some(({ main }) => main) ? [row.peer] : [])))
      for (const { id: hex, row: counters } of yield* scanRows(
        transaction,
        { prefix: prefix.conversations },
        Rows.ConversationCounters
      )) {
        const { prev, ...others } = counters
        transaction.put(key.conversation(hex), Rows.ConversationCounters, {
          ...others,
          // What waits is made anew, so nobody ever sees the message that this may name.
          ...(prev === undefined || waiting.has(hex) ? {} : { prev }),
          seq: 0,
          deliveredReceiptedUpTo: counters.lastIncoming,
          readReceiptedUpTo: Math.max(counters.readReceiptedUpTo, counters.lastIncoming)
        })
      }
      for (const { id: hex, row: block } of yield* scanRows(transaction, { prefix: prefix.blocks }, Rows.Block)) {
        const { blocked, rev } = block
        transaction.put(key.block(hex), Rows.Block, { blocked, rev })
      }
      const session = { identity, account: () => row }
      for (const hex of new Set(queued.map(({ row: { peer } }) => peer))) {
        const peer = hex === oldHex ? identity.key : yield* Effect.fromResult(admitHex(hex))
        yield* sendQueue.readdress(transaction, session, hex, peer)
      }
      // What is left: own copies of messages that the old key sent.
      for (const { key: rowKey, row: out } of yield* scanRows(transaction, { prefix: prefix.out }, Rows.Out)) {
        if (queued.some((each) => each.key === rowKey)) {
          for (const { kezId } of out.copies) transaction.delete(key.frame(kezId))
          transaction.delete(rowKey)
        }
      }
    })
  )
})

/** Removes the blobs of files that were shared under the old key. */
const removeBlobs = Effect.fnUntraced(function* (hashes: ReadonlyArray<string>) {
  const blobs = yield* BlobStore
  for (const hash of hashes) yield* Effect.ignore(blobs.remove(hash))
})

/**
 * Completes a succession whose transfer is done, from whatever point it stopped at. The identity of the account
 * afterwards; undefined if there is none to complete. `held` is the seed in the vault.
 */
export const complete = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const vault = yield* Vault
  const rotation = yield* ledger.get(key.rotation, Rows.Rotation)
  if (rotation?.step !== "transferred") return undefined
  const row = yield* account.get
  const held = yield* vault.load
  if (Option.isNone(held)) return yield* new NoAccount()
  let identity = yield* Identity.fromSeed(held.value)
  if (identity.primary === row.primary) {
    const next = yield* Effect.fromResult(parseEd25519(rotation.to))
    const seed = yield* FormerSeed.open(identity, next, rotation.seed)
    identity = yield* Identity.fromSeed(seed)
    yield* vault.save(seed)
  }
  // A vault with another account's seed: `openIdentity` says so.
  if (identity.primary !== rotation.to) return undefined
  const shares = yield* scanRows(ledger, { prefix: prefix.shares }, Rows.Share)
  yield* moveStore(identity, rotation)
  yield* removeBlobs(shares.map(({ row: { hash } }) => hash))
  return identity
})

/** The identities that the account had before, the newest first; those whose seeds do not open are left out. */
export const formerIdentities = Effect.fnUntraced(function* (identity: Identity.Identity) {
  const ledger = yield* Ledger
  const known = new Map([[identity.key.hex, identity]])
  const rows = yield* scanRows(ledger, { prefix: prefix.former }, Rows.Former)
  for (let found = true; found;) {
    found = false
    for (const { id: hex, row } of rows) {
      const holder = known.get(row.sealedTo)
      const of = yield* Effect.result(Effect.fromResult(admitHex(hex)))
      if (known.has(hex) || holder === undefined || of._tag === "Failure") continue
      const seed = yield* Effect.result(FormerSeed.open(holder, of.success, row.seed))
      if (seed._tag === "Failure") continue
      known.set(hex, yield* Identity.fromSeed(seed.success))
      found = true
    }
  }
  known.delete(identity.key.hex)
  return [...known.values()]
})

/**
 * The home says that the account's key handed its handle over. The chain says to whom, and where it is silent the home's
 * record of the handle: to the key of the rotation that this device has begun, whose answer was lost, or to one that this
 * device knows nothing of. Whoever has the seed can hand over without a word in the chain.
 */
export const noteMoved = Effect.fnUntraced(function* (session: Session, to: string = unknownKey) {
  const account = yield* CurrentAccount
  const ledger = yield* Ledger
  const row = yield* ledger.get(key.rotation, Rows.Rotation)
  const current = session.account()
  if (current.primary !== session.identity.primary) return
  if (row?.to === to) {
    const done: Rows.RotationRow = { ...row, step: "transferred" }
    yield* ledger.transact((transaction) => Effect.sync(() => transaction.put(key.rotation, Rows.Rotation, done)))
    return
  }
  // Of a rotation that has ended the chain nothing is known before the home says who has the handle.
  if (to === unknownKey && (current.movedTo !== undefined || row?.step === "rotated")) return
  if (current.movedTo !== to) yield* account.save({ ...current, movedTo: to })
})

/** The last step of a rotation that is not finished; undefined without one. */
export const pendingStep = Effect.flatMap(Ledger, (ledger) =>
  Effect.map(ledger.get(key.rotation, Rows.Rotation), (row) => row?.step)
)
