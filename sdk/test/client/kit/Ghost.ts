/** Somebody whose client is not under test: makes any frame there can be, also those an honest client never makes. */
import { Effect, Redacted } from "effect"
import { Identity, SealedMessage, SignedEnvelope } from "@kez-chat/sdk/crypto"
import { type Body, Bytes, Envelope, type KeyAdmission, Limits } from "@kez-chat/sdk/protocol"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { randomBytes } from "node:crypto"

/** A sigchain head that stands for no real chain. */
export const chain = { seq: 0, hash: `sha256:${"1".repeat(64)}` }

export const newId = () => Bytes.toBase64Url(Uint8Array.from(randomBytes(Limits.idBytes)))

export interface Written {
  readonly to: KeyAdmission.AdmittedKey
  readonly text?: string
  readonly body?: Body.Known
  readonly id?: string
  readonly device?: string
  readonly seq?: number
  readonly prev?: string
  readonly createdAt?: number
}

/** The identity of a 32-byte seed filled with `fill`. */
export const ghost = (fill: number) => ghostOf(Redacted.make(new Uint8Array(32).fill(fill)))

/** Another device of the account that has this seed. */
export const ghostOf = (seed: Redacted.Redacted<Uint8Array>) =>
  Effect.gen(function* () {
    const identity = yield* Identity.fromSeed(seed)
    const device = newId()
    let next = 0
    const write = ({ to, ...rest }: Written) =>
      SealedMessage.encrypt(identity, {
        to,
        id: rest.id ?? newId(),
        device: rest.device ?? device,
        seq: rest.seq ?? next++,
        createdAt: rest.createdAt ?? Date.now(),
        ...(rest.prev === undefined ? {} : { prev: rest.prev }),
        body: rest.body ?? { type: "text", text: rest.text ?? "boo", chain }
      }).pipe(Effect.provide(NodeCrypto.layer))
    return {
      identity,
      key: identity.key,
      primary: identity.primary,
      device,
      write,
      /** The frame of a message to `to`, sealed for `reader` (the recipient unless told). */
      frame: (written: Written, reader = written.to) =>
        Effect.flatMap(write(written), ({ encoded }) => SealedMessage.sealFrame(encoded, reader)).pipe(
          Effect.provide(NodeCrypto.layer)
        ),
      /** The frame of a message whose payload was changed and signed anew by the ghost's own hand. */
      seal: (bytes: Uint8Array, reader: KeyAdmission.AdmittedKey) =>
        SealedMessage.sealFrame(bytes, reader).pipe(Effect.provide(NodeCrypto.layer)),
      hash: (envelope: Envelope.Envelope) => SignedEnvelope.hash(envelope).pipe(Effect.provide(NodeCrypto.layer))
    }
  }).pipe(Effect.provide(NodeCrypto.layer))
