/** Sharing and fetching files by their paths; see `index.ts`. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as FileSource from "../adapters/node/FileSource.ts"
import * as FileTarget from "../adapters/node/FileTarget.ts"
import type { Share, ShareOptions } from "../client/model/index.ts"
import type { FetchToOptions } from "./NodeOptions.ts"
import * as Blank from "../protocol/encoding/Blank.ts"
import { FileError } from "../services/FileError.ts"
import type { KezChatClient, Waiting } from "../promise/index.ts"

const run = async <A, E>(effect: Effect.Effect<A, E>, signal?: AbortSignal): Promise<A> => {
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? {} : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  signal?.throwIfAborted()
  throw Cause.squash(exit.cause)
}

export const sharePath = async (
  client: KezChatClient,
  path: string,
  options: Omit<ShareOptions, "file">,
  waiting?: Waiting
): Promise<Share> => client.share({ ...options, file: await run(FileSource.fileSource(path)) }, waiting)

export const fetchTo = async (
  client: KezChatClient,
  fileRef: string,
  { folder, name, onProgress, overwrite, signal }: FetchToOptions
): Promise<FileTarget.SavedFile> => {
  if (name !== undefined && Blank.isBlank(name)) {
    throw new FileError({ reason: "missing", path: name, detail: "an empty name cannot be saved: give one, or none" })
  }
  const waiting = signal === undefined ? {} : { signal }
  const replace = overwrite === undefined ? {} : { overwrite }
  let target: FileTarget.Target | undefined
  for await (const progress of client.fetch(fileRef, waiting)) {
    const { file } = progress
    // Before the first byte is requested: a file that cannot be saved is not fetched.
    target ??= await run(FileTarget.prepare({ folder, name: name ?? file.name, size: file.size, ...replace }))
    onProgress?.(progress)
  }
  if (target === undefined) throw new Error("a fetch that shows nothing")
  const bytes = Stream.fromAsyncIterable(client.read(fileRef, waiting), (error) => error)
  const saved = await run(FileTarget.save(target, bytes), signal)
  // The file is saved; removing the blob may fail.
  await client.discard(fileRef).catch(() => undefined)
  return saved
}
