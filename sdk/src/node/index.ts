/**
 * kez-chat for Node: an account in one folder, in one call.
 *
 * {@link openNode} gives promises, {@link layer} gives Effect's `KezChat`. The parts they are made of are here too, and
 * under subpaths of their own. The assembly is loaded when it is first used, so importing this entry costs little.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SavedFile } from "../adapters/node/FileTarget.ts"
import type { Share, ShareOptions } from "../client/model/index.ts"
import type { KezChat } from "../client/KezChat.ts"
import type { KezChatClient, Waiting } from "../promise/index.ts"
import type { FetchToOptions, NodeError, NodeOptions } from "./NodeOptions.ts"

export * from "../adapters/node/index.ts"
export type { FetchToOptions, NodeError, NodeOptions } from "./NodeOptions.ts"

/**
 * The account in `options.dir`, on SQLite, node:crypto, HTTP and NATS over TCP. Files go over Iroh where the package
 * `@kez-chat/iroh-native` or `@number0/iroh` is installed; without them everything else works.
 */
export const layer = (options: NodeOptions): Layer.Layer<KezChat, NodeError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./Assembly.ts")),
      (assembly) => assembly.layer(options)
    )
  )

/** Opens the account in `options.dir`, which may hold none yet. Rejects with a {@link NodeError}. */
export const openNode = async (options: NodeOptions): Promise<KezChatClient> => {
  const { open } = await import("../promise/index.ts")
  return open(layer(options))
}

/** Shares the file at a path. See `KezChat.share`; rejects with a `FileError` where the file cannot be read. */
export const sharePath = async (
  client: KezChatClient,
  path: string,
  options: Omit<ShareOptions, "file">,
  waiting?: Waiting
): Promise<Share> => {
  const files = await import("./Files.ts")
  return files.sharePath(client, path, options, waiting)
}

/**
 * Fetches a file (`fileRef` as for `KezChat.fetch`), saves it whole or not at all, and removes its encrypted blob.
 * Waits while the owner is away, until `signal` is aborted; called again, it goes on where it stopped.
 */
export const fetchTo = async (client: KezChatClient, fileRef: string, options: FetchToOptions): Promise<SavedFile> => {
  const files = await import("./Files.ts")
  return files.fetchTo(client, fileRef, options)
}
