/** Files by their paths. The owner of the account reads and writes them, so no byte crosses its socket. */
import type { FetchProgress, KezChatError, OfferedFile, Share } from "@kez-chat/sdk"
import { type BlobInfo, FileError } from "@kez-chat/sdk/services"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as path from "node:path"

/** A path that means the same file in every process. */
export const AbsolutePath = Schema.String.check(Schema.makeFilter((file) => path.isAbsolute(file)))

/** With whom a path is shared; see the SDK's `ShareOptions`. */
export const ShareTerms = Schema.Struct({
  with: Schema.Array(Schema.String),
  public: Schema.Boolean,
  unlisted: Schema.Boolean
})
export type ShareTerms = typeof ShareTerms.Type

/** Progress of sharing a path. */
export type SharePart =
  /** Comes first: how many files the path stands for. For a folder these are all files below it. */
  | { readonly _tag: "Found"; readonly files: number; readonly totalBytes: number }
  | { readonly _tag: "Encrypting"; readonly name: string; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly _tag: "Shared"; readonly share: Share }
  /** One file of a folder could not be read; the others are shared nevertheless. */
  | ({ readonly _tag: "Unreadable" } & Pick<FileError, "reason" | "path" | "detail">)

/** The error that an `Unreadable` part stands for. */
export const unreadableError = ({ detail, path, reason }: Extract<SharePart, { readonly _tag: "Unreadable" }>) =>
  new FileError({ detail, path, reason })

export const SaveTerms = Schema.Struct({
  /** Where to save: an existing folder. */
  folder: AbsolutePath,
  /** A folder below it as its owner named it, parts separated by `/`. */
  within: Schema.optionalKey(Schema.String),
  /** Another name than the owner's. */
  name: Schema.optionalKey(Schema.String),
  /** Replace a file of the same name. */
  overwrite: Schema.Boolean
})
export type SaveTerms = typeof SaveTerms.Type

/** Progress of fetching a file. `Saved` comes last: nothing of the file stays in the store. */
export type FetchPart =
  | { readonly _tag: "Progress"; readonly progress: FetchProgress }
  | { readonly _tag: "Saving"; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly _tag: "Saved"; readonly file: OfferedFile; readonly path: string; readonly size: number }

export interface Files {
  /** Shares a file, or every file below a folder, one after the other. Each file shared before a failure stays shared. */
  shareFile(path: string, terms: ShareTerms): Stream.Stream<SharePart, KezChatError>
  /** Fetches a file and saves it. After a failure or an interruption the next call resumes. */
  fetchTo(fileRef: string, terms: SaveTerms): Stream.Stream<FetchPart, KezChatError>
  /** Whether the file at a path has exactly the content that `fileRef` names. */
  matches(fileRef: string, path: string): Effect.Effect<boolean, KezChatError>
  /** Serves our files until it is interrupted. Many commands may call it; the account serves while at least one does. */
  readonly serve: Effect.Effect<never, KezChatError>
  /** Whether any command is serving now. */
  readonly serving: Effect.Effect<boolean, KezChatError>
  /** All blobs of the store. */
  readonly blobs: Stream.Stream<BlobInfo, KezChatError>
}
