/** Comparing bytes with a file that is not fetched: encrypted under its key, equal bytes have the blob's hash. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { FastBlake3, SealedFile } from "../../../crypto/index.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import type { Session } from "../../internal/Session.ts"
import { contentOf } from "../share/index.ts"
import { Sources } from "./Sources.ts"

/** See `KezChat.matches`. */
export const matches = Effect.fn("matches")(function* (
  session: Session,
  fileRef: string,
  bytes: AsyncIterable<Uint8Array>
) {
  const sources = yield* Sources
  const { contentKey, file, hash } = yield* sources.find(session, fileRef)
  const hasher = yield* FastBlake3.load
  let length = 0
  const content = contentOf(file.name, bytes).pipe(Stream.takeWhile((piece) => (length += piece.length) <= file.size))
  const { tree } = yield* SealedFile.encrypt(contentKey, content, hasher, () => Effect.void)
  return length === file.size && Bytes.toHex(tree.hash) === hash
})
