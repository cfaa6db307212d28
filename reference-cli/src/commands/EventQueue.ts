/** Events and connection states of an account in one queue, for commands that follow it. */
import type { KezChat } from "@kez-chat/sdk"
import type { ConnectionState } from "@kez-chat/sdk/services"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { isShown, type ShownEvent } from "../terminal/output/Json.ts"

export type Item = ShownEvent | { readonly _tag: "Connection"; readonly state: ConnectionState }

/** What happens from now on and commands show. The queue ends with the owner of the account. */
export const eventQueue = Effect.fn("EventQueue.eventQueue")(function* (chat: KezChat["Service"]) {
  const queue = yield* Queue.unbounded<Item, Cause.Done>()
  const into = <A>(stream: Stream.Stream<A>, item: (value: A) => Item) =>
    stream.pipe(
      Stream.runForEach((value) => Queue.offer(queue, item(value))),
      Effect.ensuring(Effect.sync(() => Queue.endUnsafe(queue))),
      Effect.forkScoped({ startImmediately: true })
    )
  yield* into(Stream.filter(chat.events, isShown), (event) => event)
  yield* into(chat.connection, (state) => ({ _tag: "Connection", state }))
  return queue
})
