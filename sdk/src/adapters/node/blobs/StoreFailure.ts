/** Messages for file system errors of the blob store. */
import * as Effect from "effect/Effect"
import { BlobStoreError } from "../../../services/BlobStore.ts"
import { codeOf, isFull } from "../DurableFile.ts"

/** The failure of reading or writing the store in `folder`. */
export const storeFailure = (folder: string, action: "read" | "write", cause: unknown): BlobStoreError => {
  if (cause instanceof BlobStoreError) return cause
  if (isFull(cause)) {
    const detail = `no space is left for ${folder}: free some, or keep the account on another disk`
    return new BlobStoreError({ reason: "full", detail, cause })
  }
  const code = codeOf(cause)
  if (code === "EROFS" || (action === "write" && (code === "EACCES" || code === "EPERM"))) {
    const detail = `${folder} cannot be written (${code}): make it writable for this account's user`
    return new BlobStoreError({ reason: "read_only", detail, cause })
  }
  const why = code === "" ? String(cause) : code
  const advice = code === "EACCES" || code === "EPERM" ? "let this account's user read it" : "check the disk"
  return new BlobStoreError({ reason: "io", detail: `cannot ${action} ${folder} (${why}): ${advice}`, cause })
}

/** Runs a file operation to its end even if interrupted: the system cannot cancel it, and it uses buffers and files. */
export const io = <A>(
  folder: string,
  action: "read" | "write",
  run: () => Promise<A>
): Effect.Effect<A, BlobStoreError> =>
  Effect.uninterruptible(Effect.tryPromise({ try: () => run(), catch: (cause) => storeFailure(folder, action, cause) }))
