/**
 * Recognises genuine deliveries (spec KEZ-NAT-035): anyone can direct an answer to one's own delivery subject, but only
 * the stream sets the headers that identify the stored message.
 */
import { Limits, Subject } from "../../protocol/index.ts"
import type { Delivered } from "../../services/Broker.ts"

/** The values of a header, in the order received; empty when it is absent. */
export type Headers = (name: string) => ReadonlyArray<string>

/** The frame that the stream stored for `hex`; undefined if the message did not come from the stream. Never throws. */
export const accept = (hex: string, header: Headers, frame: Uint8Array): Delivered | undefined => {
  if (single(header, "Nats-Stream") !== Subject.streamName) return undefined
  const stored = single(header, "Nats-Subject")
  const subject = stored === Subject.inbox(hex) ? "inbox" : stored === Subject.self(hex) ? "self" : undefined
  const seq = integer(single(header, "Nats-Sequence"))
  const lastSeq = integer(single(header, "Nats-Last-Sequence"))
  const timeMillis = Date.parse(single(header, "Nats-Time-Stamp") ?? "")
  if (subject === undefined || seq === undefined || lastSeq === undefined || lastSeq >= seq) return undefined
  if (!Number.isSafeInteger(timeMillis) || timeMillis < 0) return undefined
  if (frame.length < 1 || frame.length > Limits.frameBytes) return undefined
  return { subject, seq, lastSeq, timeMillis, frame }
}

const single = (header: Headers, name: string): string | undefined => {
  const values = header(name)
  return values.length === 1 ? values[0] : undefined
}

const integer = (text: string | undefined): number | undefined => {
  const value = text !== undefined && /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : undefined
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined
}
