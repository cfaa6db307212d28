/** Reading a file whose blob is here. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SealedFile from "../../../crypto/SealedFile.ts"
import * as FileCipher from "../../../protocol/files/FileCipher.ts"
import { BlobStore } from "../../../services/BlobStore.ts"
import type { Session } from "../../internal/Session.ts"
import { Sources } from "./Sources.ts"

/** Sealed chunks that are read and decrypted at a time: about a mebibyte. */
const chunksRead = 16

const open = Effect.fnUntraced(function* (session: Session, fileRef: string) {
  const sources = yield* Sources
  const blobs = yield* BlobStore
  const { contentKey, file, hash } = yield* sources.findHere(session, fileRef)
  const blob = yield* blobs.open(hash)
  const { size } = blob.tree
  const step = chunksRead * FileCipher.sealedBytes
  const bytes = Stream.paginate(0, (at) =>
    Effect.map(blob.read(at, Math.min(step, size - at)), (piece) => {
      const next = at + piece.length
      return [[piece], next < size ? Option.some(next) : Option.none<number>()] as const
    })
  )
  return SealedFile.decrypt(contentKey, file.size, bytes)
})

/** See `KezChat.read`. */
export const read = (session: Session, fileRef: string) => Stream.unwrap(open(session, fileRef))
