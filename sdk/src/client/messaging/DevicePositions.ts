/**
 * What each device of the account holds, by sealed notes to self, so that mail is removed from the home by itself only
 * when every device has it (spec/messages.md, Notes between devices).
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Body from "../../protocol/messages/Body.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import type { KezChatError } from "../model/index.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { readSettings } from "../internal/Settings.ts"

const { key } = Rows
const dayMillis = 24 * 60 * 60 * 1_000

/** A device announces what it holds so often, in milliseconds, while any device removes mail by itself. */
const announceMillis = dayMillis
/** Other devices have so long to hear of that and to announce themselves before anything is removed, in milliseconds. */
const graceMillis = 7 * dayMillis
/** A device that nothing was heard of for so long is not waited for, in milliseconds: the home keeps nothing longer. */
const goneMillis = 30 * dayMillis

const fallback = "(Your devices told each other what they hold.)"

export class DevicePositions extends Context.Service<
  DevicePositions,
  {
    /** Takes in what one of the account's devices announces. */
    receive(
      transaction: Transaction,
      device: string,
      body: Body.DevicePosition,
      arrivedAt: number
    ): Effect.Effect<void, StoreError>
    /** Notes that a device of the account exists: it wrote something. */
    seen(transaction: Transaction, device: string, arrivedAt: number): Effect.Effect<void, StoreError>
    /** Announces what this device holds, where that is due. */
    announce(session: Session): Effect.Effect<void, KezChatError, Crypto>
    /** Up to where every device holds the mail, under the epoch of this one's position; undefined while that is not known. */
    heldByAll(
      session: Session
    ): Effect.Effect<{ readonly upTo: number; readonly epoch: string } | undefined, KezChatError>
  }
>()("@kez-chat/sdk/DevicePositions") {}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const sendQueue = yield* SendQueue

  const devices = Effect.flatMap(
    ledger.scan({ prefix: Rows.prefix.devices }),
    Effect.forEach((entry) =>
      Effect.map(Effect.fromResult(Rows.Device.decode(entry.key, entry.value)), (row) => ({
        id: entry.key.slice(Rows.prefix.devices.length),
        row
      }))
    )
  )

  return DevicePositions.of({
    receive: (transaction, device, { epoch, upTo }, arrivedAt) =>
      Effect.map(transaction.get(key.device(device), Rows.Device), (row) => {
        // In stream order a device's later word comes later.
        transaction.put(key.device(device), Rows.Device, {
          seenAt: Math.max(row?.seenAt ?? 0, arrivedAt),
          holds: { epoch, upTo, at: arrivedAt },
          firstAt: row?.firstAt ?? arrivedAt
        })
      }),
    seen: (transaction, device, arrivedAt) =>
      Effect.map(transaction.get(key.device(device), Rows.Device), (row) => {
        if (row !== undefined && row.seenAt > arrivedAt - dayMillis) return
        transaction.put(key.device(device), Rows.Device, { ...row, seenAt: arrivedAt })
      }),
    announce: Effect.fnUntraced(function* (session) {
      const { device, step } = session.account()
      if (step !== "published") return
      const now = yield* Clock.currentTimeMillis
      const all = yield* devices
      const wanted =
        (yield* readSettings(ledger)).autoTrim ||
        all.some(({ id, row }) => id !== device && (row.holds?.at ?? 0) > now - goneMillis)
      if (!wanted) return
      yield* ledger.transact((transaction) =>
        Effect.gen(function* () {
          const position = yield* transaction.get(key.position, Rows.Position)
          const own = yield* transaction.get(key.device(device), Rows.Device)
          if (position?.epoch === undefined) return
          const { base: upTo, epoch } = position
          if (own?.holds !== undefined) {
            const { at, ...held } = own.holds
            if (held.epoch === epoch && (held.upTo === upTo || at > now - announceMillis)) return
          }
          transaction.put(key.device(device), Rows.Device, {
            seenAt: now,
            holds: { epoch, upTo, at: now },
            firstAt: own?.firstAt ?? now
          })
          const draft = { type: "device_position" as const, epoch, upTo, fallback }
          yield* sendQueue.enqueue(transaction, session, session.identity.key, draft)
        })
      )
    }),
    heldByAll: Effect.fnUntraced(function* (session) {
      const now = yield* Clock.currentTimeMillis
      const position = yield* ledger.get(key.position, Rows.Position)
      const all = yield* devices
      const own = all.find(({ id }) => id === session.account().device)
      if (position?.epoch === undefined || (own?.row.firstAt ?? now) > now - graceMillis) return undefined
      let upTo = position.base
      for (const { id, row } of all) {
        if (id === session.account().device || row.seenAt < now - goneMillis) continue
        if (row.holds?.epoch !== position.epoch) return undefined
        upTo = Math.min(upTo, row.holds.upTo)
      }
      return upTo < 1 ? undefined : { upTo, epoch: position.epoch }
    })
  })
})

export const layer: Layer.Layer<DevicePositions, never, Ledger | SendQueue> = Layer.effect(DevicePositions, make)
