/** Signs that this home accepted frames (spec/broker.md, Acceptance). Off the event loop, in Node's thread pool. */
import { Acceptance, BrokerAnswer, Envelope, Hash, KeyAdmission } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { createHash, type KeyObject, sign } from "node:crypto"
import type { AcceptanceKeys } from "../login/Keys.ts"

export interface Acceptances {
  /** Signs for a frame to a recipient (hex), and calls back with the answer to its sender; unsigned if that fails. */
  answer(recipient: string, frame: Uint8Array, done: (answer: Uint8Array) => void): void
}

const sha256 = (bytes: Uint8Array): string => Hash.format("sha256", createHash("sha256").update(bytes).digest())

/** Undefined where there is no key to sign with. */
export const make = (server: string, { published, signing }: AcceptanceKeys): Acceptances | undefined => {
  const [first] = published
  if (signing === undefined || first === undefined) return undefined
  const key = Result.getOrThrow(KeyAdmission.admit(first))
  return { answer: (recipient, frame, done) => answer({ server, key, signing }, recipient, frame, done) }
}

const answer = (
  {
    key,
    server,
    signing
  }: { readonly server: string; readonly key: KeyAdmission.AdmittedKey; readonly signing: KeyObject },
  recipient: string,
  frame: Uint8Array,
  done: (answer: Uint8Array) => void
): void => {
  const acceptedAt = Math.floor(Date.now() / 1_000) * 1_000
  const text = Envelope.signedText(
    Acceptance.payload({
      server,
      key,
      recipient: sha256(Acceptance.recipientBytes(Buffer.from(recipient, "hex"))),
      frame: sha256(frame),
      acceptedAt
    })
  )
  const digest = createHash("sha512").update(text).digest()
  sign(null, digest, signing, (error, sig) =>
    done(error === null ? BrokerAnswer.encodeSigned({ atMillis: acceptedAt, sig }) : BrokerAnswer.ok)
  )
}
