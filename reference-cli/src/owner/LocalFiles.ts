/** Files by their paths, in the process that owns the account. */
import type { FetchProgress, KezChat, KezChatError } from "@kez-chat/sdk"
import { FileSource, FileTarget } from "@kez-chat/sdk/node"
import { type BlobStore, FileError } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fs from "node:fs/promises"
import { Hash } from "@kez-chat/sdk/protocol"
import type { FetchPart, Files, SaveTerms, SharePart, ShareTerms } from "./Files.ts"
import { sampled } from "./Sampled.ts"
import * as Saved from "./Saved.ts"

type Chat = KezChat["Service"]

export interface FilesOptions {
  readonly chat: Chat
  readonly blobs: BlobStore["Service"]
  /** The file that records which offers were saved. */
  readonly saved: string
}

/** Most files that one call shares: each is an offer of its own, and a manifest holds about a thousand. */
export const maxFiles = 500

const isFolder = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() =>
    fs.stat(path).then(
      (found) => found.isDirectory(),
      // Opening it reports the reason.
      () => false
    )
  )

const sources = Effect.fnUntraced(function* (path: string) {
  if (!(yield* isFolder(path))) return [yield* FileSource.fileSource(path)]
  const found = yield* FileSource.folderSources(path)
  const problem =
    found.length === 0
      ? "there is no file in it"
      : found.length > maxFiles
        ? `it holds ${found.length} files, and ${maxFiles} are shared at once: pack them into one, or share options of it`
        : undefined
  return problem === undefined ? found : yield* new FileError({ reason: "not_a_file", path, detail: problem })
})

const shareFile = (chat: Chat, path: string, terms: ShareTerms): Stream.Stream<SharePart, KezChatError> =>
  sampled(
    Stream.callback<SharePart, KezChatError>(
      Effect.fnUntraced(function* (queue) {
        const found = yield* sources(path)
        const totalBytes = found.reduce((sum, { size }) => sum + size, 0)
        yield* Queue.offer(queue, { _tag: "Found", files: found.length, totalBytes })
        for (const { size, path: _path, ...file } of found) {
          const onProgress = (doneBytes: number) =>
            void Queue.offerUnsafe(queue, { _tag: "Encrypting", name: file.name, doneBytes, totalBytes: size })
          yield* chat.share({ ...terms, file, onProgress }).pipe(
            Effect.map((share): SharePart => ({ _tag: "Shared", share })),
            // A file of a folder that vanished or is being written to does not stop the others.
            Effect.catchTag("FileError", (error) => {
              const { detail, path, reason } = error
              const part: SharePart = { _tag: "Unreadable", detail, path, reason }
              return found.length > 1 ? Effect.succeed(part) : Effect.fail(error)
            }),
            Effect.flatMap((part) => Queue.offer(queue, part))
          )
        }
        yield* Queue.end(queue)
      })
    ),
    (part) => (part._tag === "Encrypting" ? part.name : undefined)
  )

/** Decrypts the blob into the prepared target, and then discards the blob. */
const save = ({ chat, saved }: FilesOptions, fileRef: string, file: FetchProgress["file"], target: FileTarget.Target) =>
  Stream.callback<FetchPart, KezChatError>(
    Effect.fnUntraced(function* (queue) {
      let doneBytes = 0
      const bytes = Stream.tap(chat.read(fileRef), (piece) => {
        doneBytes += piece.length
        return Queue.offer(queue, { _tag: "Saving", doneBytes, totalBytes: file.size })
      })
      const { path, size } = yield* FileTarget.save(target, bytes)
      // The file is saved; what follows only cleans up.
      yield* Effect.ignore(Effect.sync(() => Saved.note(saved, { blobHash: file.blobHash, path })))
      yield* Effect.ignore(chat.discard(fileRef))
      yield* Queue.offer(queue, { _tag: "Saved", file, path, size })
      yield* Queue.end(queue)
    })
  )

const fetchTo = (options: FilesOptions, fileRef: string, terms: SaveTerms): Stream.Stream<FetchPart, KezChatError> =>
  Stream.suspend(() => {
    const { folder, within, name, overwrite } = terms
    let latest: FetchProgress | undefined
    let prepared: { readonly file: FetchProgress["file"]; readonly target: FileTarget.Target } | undefined
    const fetched = options.chat.fetch(fileRef).pipe(
      // Before the first byte is requested: nothing is fetched that cannot be saved.
      Stream.tap(
        Effect.fnUntraced(function* (progress) {
          const { file } = progress
          latest = progress
          if (prepared !== undefined) return
          const target = yield* FileTarget.prepare({
            folder,
            name: name ?? file.name,
            overwrite,
            size: file.size,
            ...(within === undefined ? {} : { subfolder: within })
          })
          prepared = { file, target }
        })
      ),
      Stream.map((progress): FetchPart => ({ _tag: "Progress", progress }))
    )
    const saving = Stream.suspend(() =>
      prepared === undefined ? Stream.empty : save(options, fileRef, prepared.file, prepared.target)
    )
    // A partial blob is created before it is known whether anything arrives or can be saved.
    const letGoOfNothing = Effect.gen(function* () {
      if (latest === undefined || latest.haveBytes > 0) return
      const info = yield* options.blobs.info(Hash.hexOf(latest.file.blobHash))
      if (info !== undefined && !info.complete && info.storedBytes === 0) yield* options.chat.discard(fileRef)
    }).pipe(Effect.ignore)
    const kind = (part: FetchPart): string | undefined => {
      if (part._tag === "Saved") return undefined
      if (part._tag === "Saving") return part.doneBytes < part.totalBytes ? "saving" : undefined
      const { state, reason } = part.progress
      return state === "complete" ? undefined : `${state} ${reason ?? ""}`
    }
    return Stream.callback((queue) =>
      sampled(Stream.concat(fetched, saving), kind).pipe(
        Stream.runForEach((part) => Queue.offer(queue, part)),
        // Not before the transfer has stopped writing to the blob.
        Effect.ensuring(letGoOfNothing),
        Effect.andThen(Queue.end(queue))
      )
    )
  })

export const make = Effect.fn("LocalFiles.make")(function* (
  options: FilesOptions
): Effect.fn.Return<Files, never, Scope.Scope> {
  const { chat, blobs } = options
  let users = 0
  // The account serves once, for as long as any command wants it to.
  const running = yield* RcRef.make({
    acquire: Effect.forkScoped(chat.serve, { startImmediately: true })
  })
  return {
    shareFile: (path, terms) => shareFile(chat, path, terms),
    fetchTo: (fileRef, terms) => fetchTo(options, fileRef, terms),
    matches: (fileRef, path) =>
      Effect.flatMap(FileSource.fileSource(path), ({ bytes }) => chat.matches(fileRef, bytes)),
    serve: Effect.scoped(
      Effect.acquireRelease(
        Effect.sync(() => void (users += 1)),
        () => Effect.sync(() => void (users -= 1))
      ).pipe(Effect.andThen(RcRef.get(running)), Effect.flatMap(Fiber.join))
    ),
    serving: Effect.sync(() => users > 0),
    blobs: Stream.fromIterableEffect(blobs.list)
  }
})
