/** Numbers of messages, compared with those seen of the same sender, recipient and device. */
import * as Effect from "effect/Effect"
import { Message } from "../../../protocol/index.ts"
import type { StoreError } from "../../../services/index.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"

const { key } = Rows

/** `gap` messages are missing before this one; `fork`: another message has the same sequence number. */
export interface SequenceMarks {
  readonly gap?: number
  readonly fork?: true
}

/** Records a message's sequence number, and compares it with those seen of the same sender, recipient and device. */
export const check = Effect.fnUntracedEager(function* (
  transaction: Transaction,
  message: Message.Message
): Effect.fn.Return<SequenceMarks, StoreError> {
  const trackKey = key.track(message.from, message.to, message.device)
  const slotKey = key.slot(message)
  const track = yield* transaction.get(trackKey, Rows.Track)
  const gap = Message.gapBefore(track?.highest, message.seq)
  if (gap === "earlier") {
    const holder = yield* transaction.get(slotKey, Rows.Slot)
    if (holder !== undefined) return holder.id === message.id ? {} : { fork: true }
    transaction.put(slotKey, Rows.Slot, { id: message.id })
    return {}
  }
  transaction.put(slotKey, Rows.Slot, { id: message.id })
  transaction.put(trackKey, Rows.Track, { highest: message.seq })
  return gap > 0 ? { gap } : {}
})
