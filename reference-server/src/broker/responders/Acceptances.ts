/**
 * Signs that this home accepted frames (spec/broker.md, Acceptance). Every send that asks passes here, so the text is put
 * together from parts that are made once, and the signature is made in Node's thread pool.
 */
import { Acceptance, BrokerAnswer, Envelope, Hash, KeyAdmission, Timestamp } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { createHash, type KeyObject, sign } from "node:crypto"
import type { AcceptanceKeys } from "../login/Keys.ts"

export interface Acceptances {
  /** Signs for a frame to a recipient (hex), and calls back with the answer to its sender; unsigned if that fails. */
  answer(recipient: string, frame: Uint8Array, done: (answer: Uint8Array) => void): void
}

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

// Each occurs once in the text, in the order of JCS: accepted_at, frame, recipient.
const holes = {
  acceptedAt: 0,
  frame: Hash.format("sha256", "f".repeat(64)),
  recipient: Hash.format("sha256", "0".repeat(64))
}

const partsOf = (server: string, key: KeyAdmission.AdmittedKey): ReadonlyArray<string> => {
  const text = Envelope.signedText(Acceptance.payload({ server, key, ...holes }))
  const parts: Array<string> = []
  let rest = text
  for (const hole of [Timestamp.fromMillis(holes.acceptedAt), holes.frame, holes.recipient]) {
    const at = rest.indexOf(hole)
    parts.push(rest.slice(0, at))
    rest = rest.slice(at + hole.length)
  }
  return [...parts, rest]
}

/** Undefined where there is no key to sign with. */
export const make = (server: string, { published, signing }: AcceptanceKeys): Acceptances | undefined => {
  const [first] = published
  if (signing === undefined || first === undefined) return undefined
  return signer(signing, partsOf(server, Result.getOrThrow(KeyAdmission.admit(first))))
}

const signer = (signing: KeyObject, parts: ReadonlyArray<string>): Acceptances => ({
  answer: (recipient, frame, done) => {
    const acceptedAt = Math.floor(Date.now() / 1_000) * 1_000
    const named = [
      Timestamp.fromMillis(acceptedAt),
      sha256(frame),
      sha256(Acceptance.recipientBytes(Buffer.from(recipient, "hex")))
    ]
    const text = parts.map((part, i) => part + (named[i] ?? "")).join("")
    const digest = createHash("sha512").update(text).digest()
    sign(null, digest, signing, (error, sig) =>
      done(error === null ? BrokerAnswer.encodeSigned({ atMillis: acceptedAt, sig }) : BrokerAnswer.ok)
    )
  }
})
