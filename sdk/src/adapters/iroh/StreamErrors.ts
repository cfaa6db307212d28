/** What the bindings' errors mean: both give those of Iroh in the words of its `Debug`. */
import * as Effect from "effect/Effect"
import { StreamFailure } from "../blobs-core/Network.ts"

/** Strips the backtrace from the binding's errors. */
export const firstLine = (cause: unknown): string =>
  String(cause instanceof Error ? cause.message : cause).split("\n")[0] as string

/** `Reset(1)` and `Stopped(1)` end a stream; any other error ends its connection. */
export const failureOf = (cause: unknown): StreamFailure => {
  const detail = firstLine(cause)
  const code = /^(?:Reset|Stopped)\((\d+)\)$/.exec(detail)?.[1]
  if (code !== undefined) return new StreamFailure({ reason: "aborted", code: Number(code), detail })
  const words = /\breason: b"([^"]*)"/.exec(detail)?.[1]
  return new StreamFailure({ reason: "lost", detail, ...(words === undefined ? {} : { words }) })
}

export const attempt = <A>(call: () => Promise<A>): Effect.Effect<A, StreamFailure> =>
  Effect.tryPromise({ try: call, catch: failureOf })
