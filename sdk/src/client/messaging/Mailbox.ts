/**
 * The account's inbox at its home as its owner sees it: how full it is, and the removal of what is held here
 * (spec/broker.md, Trim).
 */
import * as Effect from "effect/Effect"
import type { Report } from "../../protocol/broker/Trim.ts"
import type { BrokerConnection } from "../../services/Broker.ts"
import type { BlockList } from "../contacts/BlockList.ts"
import type { DevicePositions } from "./DevicePositions.ts"
import type { Events } from "../internal/Events.ts"
import type { BoxUsage, InboxUsage } from "../model/index.ts"
import type { KezChatError } from "../model/index.ts"
import type { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { readSettings } from "../internal/Settings.ts"

/** From this part of a box's limit on, its owner is warned. */
const fillingShare = 0.8

export interface Mailbox {
  usage(connection: BrokerConnection): Effect.Effect<InboxUsage, KezChatError>
  /** Removes what this device holds of a box. */
  trim(connection: BrokerConnection, box: "mail" | "sent"): Effect.Effect<InboxUsage, KezChatError>
  /** Removes the mail that every device holds, where the user wants that to happen by itself. */
  autoTrim(session: Session, connection: BrokerConnection): Effect.Effect<void, KezChatError>
  /** Warns of boxes that are almost full. */
  watch(connection: BrokerConnection): Effect.Effect<void, KezChatError>
}

const subjects = { mail: "inbox", sent: "self" } as const

const boxUsage = ({ limit, oldestMillis, used }: Report): BoxUsage => ({
  used,
  limit,
  ...(oldestMillis === undefined ? {} : { oldest: oldestMillis })
})

export const make = (ledger: Ledger, events: Events, blocks: BlockList, positions: DevicePositions): Mailbox => {
  const usage: Mailbox["usage"] = (connection) =>
    Effect.map(
      Effect.all([connection.trim("inbox"), connection.trim("self")], { concurrency: "unbounded" }),
      ([mail, sent]) => ({
        mail: { ...boxUsage(mail), strangers: mail.strangers ?? { used: 0, limit: 0 } },
        sent: boxUsage(sent)
      })
    )

  return {
    usage,
    trim: Effect.fnUntraced(function* (connection, box) {
      const subject = subjects[box]
      // In a commit of its own, so that what is removed there is on the disk here.
      const position = yield* ledger.transact((transaction) => transaction.get(Rows.key.position, Rows.Position))
      if (position?.epoch !== undefined && position[subject] > 0) {
        yield* connection.trim(subject, { upTo: position[subject], epoch: position.epoch })
        if (box === "sent") yield* blocks.renew
      }
      return yield* usage(connection)
    }),
    autoTrim: Effect.fnUntraced(function* (session, connection) {
      if (!(yield* readSettings(ledger)).autoTrim) return
      const held = yield* positions.heldByAll(session)
      if (held !== undefined) yield* connection.trim("inbox", held)
    }),
    watch: (connection) =>
      Effect.map(usage(connection), (now) => {
        for (const box of ["mail", "sent"] as const) {
          if (now[box].used >= now[box].limit * fillingShare) events.publish({ _tag: "InboxFilling", box, usage: now })
        }
      })
  }
}
