/**
 * Files by their paths. The process that owns the account reads and writes them, so that no byte of a file crosses the
 * owner's socket; commands see how far it is.
 */
import type { FetchProgress, KezChatError, OfferedFile, Share } from "@kez-chat/sdk"
import type { BlobInfo, FileError } from "@kez-chat/sdk/services"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

/** With whom a path is shared; see the SDK's `ShareOptions`. */
export interface ShareTerms {
  readonly with: ReadonlyArray<string>
  readonly public: boolean
  readonly unlisted: boolean
}

/** How far sharing a path is. */
export type SharePart =
  /** First of all: what the path is. A folder has its files below it, a file is one. */
  | { readonly _tag: "Found"; readonly files: number; readonly totalBytes: number }
  | { readonly _tag: "Encrypting"; readonly name: string; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly _tag: "Shared"; readonly share: Share }
  /** One file of a folder could not be read: the others are shared all the same. */
  | ({ readonly _tag: "Unreadable" } & Pick<FileError, "reason" | "path" | "detail">)

export interface SaveTerms {
  /** Where to save: a folder that is there, absolute. */
  readonly folder: string
  /** A folder below it as somebody else named it, parts separated by `/`. */
  readonly within?: string
  /** Another name than its owner gave it. */
  readonly name?: string
  /** Write over a file of the same name. */
  readonly overwrite: boolean
}

/** How far fetching a file is. `Saved` is the last one: nothing of it stays in the store. */
export type FetchPart =
  | { readonly _tag: "Progress"; readonly progress: FetchProgress }
  | { readonly _tag: "Saving"; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly _tag: "Saved"; readonly file: OfferedFile; readonly path: string; readonly size: number }

export interface Files {
  /** Shares a file, or every file below a folder, one after the other. What is shared when it fails or stops stays shared. */
  shareFile(path: string, terms: ShareTerms): Stream.Stream<SharePart, KezChatError>
  /** Fetches a file and saves it; stopped or failed, it goes on there next time. */
  fetchTo(fileRef: string, terms: SaveTerms): Stream.Stream<FetchPart, KezChatError>
  /** Whether a file that is here, by its path, is exactly the one that `fileRef` names. */
  matches(fileRef: string, path: string): Effect.Effect<boolean, KezChatError>
  /** Serves our files until it is interrupted. Any number of commands may, the account serves while one does. */
  readonly serve: Effect.Effect<never, KezChatError>
  /** Whether any command serves just now. */
  readonly serving: Effect.Effect<boolean, KezChatError>
  /** What lies in the blob store. */
  readonly blobs: Stream.Stream<BlobInfo, KezChatError>
}
