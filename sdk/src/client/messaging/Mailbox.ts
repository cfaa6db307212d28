/** The own inbox at the home server: its usage, and removing what this device holds (spec/broker.md, Trim). */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Effect from "effect/Effect"
import type { Report } from "../../protocol/broker/Trim.ts"
import type { BrokerConnection } from "../../services/Broker.ts"
import { BlockList } from "../contacts/index.ts"
import { DevicePositions } from "./DevicePositions.ts"
import { Events } from "../internal/Events.ts"
import type { BoxUsage } from "../model/index.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { readSettings } from "../internal/Settings.ts"

/** The share of a box's limit from which its owner is warned. */
const fillingShare = 0.8

const subjects = { mail: "inbox", sent: "self" } as const

const boxUsage = ({ limit, oldestMillis, used }: Report): BoxUsage => ({
  used,
  limit,
  ...(oldestMillis === undefined ? {} : { oldest: oldestMillis })
})

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const blocks = yield* BlockList
  const positions = yield* DevicePositions

  /** The position, once it and all that was taken in before it are on the disk: what the home removes must not be lost here. */
  const durablePosition = Effect.tap(ledger.get(Rows.key.position, Rows.Position), ledger.sync)

  const usage = (connection: BrokerConnection) =>
    Effect.map(
      Effect.all([connection.trim("inbox"), connection.trim("self")], { concurrency: "unbounded" }),
      ([mail, sent]) => ({
        mail: { ...boxUsage(mail), strangers: mail.strangers ?? { used: 0, limit: 0 } },
        sent: boxUsage(sent)
      })
    )

  return {
    usage,
    /** Removes from the home server what this device holds of a box (KEZ-SEQ-070). */
    trim: Effect.fnUntraced(function* (connection: BrokerConnection, box: "mail" | "sent") {
      const subject = subjects[box]
      const position = yield* durablePosition
      if (position?.epoch !== undefined && position[subject] > 0) {
        yield* connection.trim(subject, { upTo: position[subject], epoch: position.epoch })
        if (box === "sent") yield* blocks.renew
      }
      return yield* usage(connection)
    }),
    /** Removes the mail that every device holds, if the user switched that on (KEZ-SEQ-071). */
    autoTrim: Effect.fnUntraced(function* (session: Session, connection: BrokerConnection) {
      if (!(yield* readSettings(ledger)).autoTrim) return
      const held = yield* positions.heldByAll(session)
      if (held === undefined) return
      yield* durablePosition
      yield* connection.trim("inbox", held)
    }),
    /** Publishes `InboxFilling` for each box that is almost full. */
    watch: (connection: BrokerConnection) =>
      Effect.map(usage(connection), (now) => {
        for (const box of ["mail", "sent"] as const) {
          if (now[box].used >= now[box].limit * fillingShare) events.publish({ _tag: "InboxFilling", box, usage: now })
        }
      })
  }
})

export class Mailbox extends Context.Service<Mailbox>()("@kez-chat/sdk/Mailbox", { make }) {}

export const layer = Layer.effect(Mailbox, make)
