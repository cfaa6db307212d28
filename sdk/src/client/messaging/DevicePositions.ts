/**
 * How far each device of the account has taken in its mail, exchanged as sealed notes to self. Automatic trim removes
 * mail from the home server only once every device holds it (spec/messages.md, Notes between devices; KEZ-DM-034).
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Body from "../../protocol/messages/Body.ts"
import { Ledger, scanRows, type Transaction } from "../internal/Ledger.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { readSettings } from "../internal/Settings.ts"

const { key } = Rows
const dayMillis = 24 * 60 * 60 * 1_000

/** Interval of this device's announcements, in milliseconds, while any device of the account trims automatically. */
const announceMillis = dayMillis
/** Time from the first announcement to the first trim, in milliseconds: other devices announce themselves meanwhile. */
const graceMillis = 7 * dayMillis
/** A device silent for longer than this, in milliseconds, no longer counts: the home server retains nothing longer. */
const goneMillis = 30 * dayMillis

/** Shown by versions that do not know these notes. */
const fallback = "(Your devices told each other what they hold.)"

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const sendQueue = yield* SendQueue

  const devices = scanRows(ledger, { prefix: Rows.prefix.devices }, Rows.Device)

  return {
    /** Records an announcement of one of the account's devices. */
    receive: (transaction: Transaction, device: string, { epoch, upTo }: Body.DevicePosition, arrivedAt: number) =>
      Effect.map(transaction.get(key.device(device), Rows.Device), (row) => {
        // Frames come in stream order, so this announcement is newer than the one in the row.
        transaction.put(key.device(device), Rows.Device, {
          seenAt: Math.max(row?.seenAt ?? 0, arrivedAt),
          holds: { epoch, upTo, at: arrivedAt },
          firstAt: row?.firstAt ?? arrivedAt
        })
      }),
    /** Records that a device of the account is in use: it wrote something. */
    seen: (transaction: Transaction, device: string, arrivedAt: number) =>
      Effect.map(transaction.get(key.device(device), Rows.Device), (row) => {
        if (row !== undefined && row.seenAt > arrivedAt - dayMillis) return
        transaction.put(key.device(device), Rows.Device, { ...row, seenAt: arrivedAt })
      }),
    /** Announces what this device holds, if that is due. */
    announce: Effect.fnUntraced(function* (session: Session) {
      const { device, step } = session.account()
      if (step !== "published") return
      const now = yield* Clock.currentTimeMillis
      const all = yield* devices
      const isDue =
        (yield* readSettings(ledger)).autoTrim ||
        all.some(({ id, row }) => id !== device && (row.holds?.at ?? 0) > now - goneMillis)
      if (!isDue) return
      yield* ledger.transact(
        Effect.fnUntraced(function* (transaction: Transaction) {
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
    /** The position up to which every device holds the mail, in the epoch of this device; undefined while unknown. */
    heldByAll: Effect.fnUntraced(function* (session: Session) {
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
  }
})

export class DevicePositions extends Context.Service<DevicePositions>()("@kez-chat/sdk/DevicePositions", { make }) {}

export const layer = Layer.effect(DevicePositions, make)
