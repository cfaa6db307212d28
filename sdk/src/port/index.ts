/**
 * A client that lives in another realm, such as a worker, over a `MessagePort`. Neither half loads Effect.
 *
 * Calls, results, tagged errors, streams with a window of items, aborting and leaving a loop cross. An error keeps its
 * `_tag`, `name`, `message` and fields, but is an instance of `Error` only; an unknown one is `Unexpected`. `share` and
 * `matches` reject with `NotPortable`: the files that they read are on the caller's side.
 */
import type { KezChatClient } from "../promise/index.ts"
import { clientCalls } from "./ClientCalls.ts"
import { connectCalls } from "./Connect.ts"
import { serveCalls } from "./Serve.ts"

export type { PortError } from "./PortError.ts"

/** Serves a client on a port until the returned function is called; the client stays open. */
export const servePort = (port: MessagePort, client: KezChatClient): (() => void) =>
  serveCalls(port, clientCalls, client)

/** The client that is served at the other end. `close` closes the port, not that client. */
export const connectPort = (port: MessagePort): KezChatClient => {
  const connection = connectCalls(port, clientCalls)
  const close = async () => connection.close()
  return { ...connection.target, close, [Symbol.asyncDispose]: close }
}
