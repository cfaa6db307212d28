/** The stream's acknowledgement of a publish. */
import type { Msg } from "@nats-io/nats-core"
import { isObject } from "../JsonObject.ts"
import * as InboxStream from "../stream/InboxStream.ts"

/** `full`: the stream's storage is used up. `retry`: the frame was not stored, and can be later. */
export const parse = (message: Msg): "full" | "retry" | { readonly seq: number; readonly repeated: boolean } => {
  // 503: no JetStream listens.
  if (message.headers?.code !== undefined && message.headers.code >= 400) return "retry"
  const ack: unknown = message.json()
  if (!isObject(ack)) return "retry"
  if (isObject(ack.error)) return InboxStream.storageFull.has(ack.error.err_code) ? "full" : "retry"
  return typeof ack.seq === "number" ? { seq: ack.seq, repeated: ack.duplicate === true } : "retry"
}
