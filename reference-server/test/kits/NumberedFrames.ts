/** Frames that carry a number, to find out which were stored, and how often. */
import { type BrokerConnection, BrokerRefused } from "@kez-chat/sdk/services"
import { Effect, Schedule } from "effect"
import { kezId } from "./Account.ts"

/** Sends frame `number` until it is acknowledged, with one Kez-Id for all attempts. Fails where another try is useless. */
export const sendUntilStored = (
  connection: BrokerConnection,
  to: Parameters<BrokerConnection["send"]>[0],
  number: number,
  { bytes, pauseMillis }: { readonly bytes: number; readonly pauseMillis: number }
) => {
  const frame = new Uint8Array(bytes)
  new DataView(frame.buffer).setUint32(0, number)
  const id = kezId()
  return Effect.retry(connection.send(to, id, frame), {
    while: (error) => !(error instanceof BrokerRefused) || error.retryable,
    schedule: Schedule.spaced(pauseMillis)
  })
}

/** The numbers of all frames in an inbox, in the stream's order. */
export const readNumbers = Effect.fnUntraced(function* (connection: BrokerConnection) {
  const numbers: Array<number> = []
  for (let after = 0; ;) {
    const page = yield* connection.fetch(after).pipe(Effect.retry({ times: 100, schedule: Schedule.spaced(100) }))
    if (page.frames.length === 0) return numbers
    for (const { frame, seq } of page.frames) {
      after = seq
      numbers.push(new DataView(frame.buffer, frame.byteOffset).getUint32(0))
    }
  }
})
