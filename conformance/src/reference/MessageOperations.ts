/** The operations of the vectors that concern messages: padding, encryption and seals. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Hpke, SealedMessage } from "@kez-chat/sdk/crypto"
import { Bytes, Envelope, Hpke as Labels, Message, Padding, PrimaryKey, Seal, Timestamp } from "@kez-chat/sdk/protocol"
import { Crypto } from "@kez-chat/sdk/services"
import {
  fromBase64Url,
  fromHex,
  identityOf,
  type Input,
  number,
  type Operation,
  pure,
  sha256,
  text
} from "./CaseInput.ts"

const { toBase64Url, toHex } = Bytes

const timeOf = (input: Input, name: string) => Result.getOrThrow(Timestamp.parse(text(input, name)))

const header = (input: Input, to: Message.Header["to"]) => ({
  to,
  id: text(input, "id"),
  device: text(input, "device"),
  seq: number(input, "seq"),
  createdAt: timeOf(input, "created_at"),
  ...(input["prev"] === undefined ? {} : { prev: text(input, "prev") })
})

export const messageOperations: Readonly<Record<string, Operation>> = {
  "address.life": (input) =>
    Effect.sync(() => {
      const span = { createdAt: timeOf(input, "created_at"), expiresAt: timeOf(input, "expires_at") }
      const since = { stored: number(input, "stored") * 1_000, asked: number(input, "asked") * 1_000 }
      return Message.addressLife(span, since) / 1_000
    }),
  "padding.length": pure((input) =>
    Result.map(Padding.pad(new Uint8Array(number(input, "n")).fill(97)), (padded) => padded.length)
  ),
  "padding.unpad": pure((input) => Result.map(Padding.unpad(fromHex(text(input, "plaintext"))), toHex)),
  "message.encrypt": (input) =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      const identity = yield* identityOf(input)
      const to = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "to")))
      const salt = fromBase64Url(text(input, "salt"))
      const body = fromBase64Url(text(input, "body"))
      const draft = { ...header(input, to), salt }
      const { encoded, envelope, hash } = yield* SealedMessage.encryptBytes(crypto, identity, draft, body)
      const message = yield* Effect.fromResult(Message.parse(envelope))
      const back = yield* SealedMessage.decrypt(crypto, identity, to, message, Message.aad(envelope.payload))
      if (!Bytes.equal(back, body)) return "its author cannot open it again"
      if (Bytes.fromUtf8(encoded).pipe(Result.getOrThrow) !== Envelope.encodeText(envelope))
        return "it is not sealed as JCS"
      const secret = yield* crypto.importSeed(Redacted.make(fromHex(text(input, "seed"))))
      const shared = yield* crypto.agree(secret, to)
      const info = Message.kdfInfo(identity.key, to)
      const okm = yield* crypto.hkdfSha256(shared, salt, info, Message.okmBytes)
      const plaintext = yield* Effect.fromResult(Padding.pad(body))
      return {
        shared_secret: toHex(shared),
        info: toHex(info),
        okm: toHex(okm),
        key: toHex(okm.subarray(0, 32)),
        nonce: toHex(okm.subarray(32)),
        aad: toBase64Url(Message.aad(envelope.payload)),
        plaintext_length: plaintext.length,
        plaintext_sha256: yield* sha256(plaintext),
        ciphertext_sha256: yield* sha256(message.ciphertext),
        envelope_hash: hash,
        ...(body.length <= 256
          ? { plaintext: toHex(plaintext), ciphertext: toBase64Url(message.ciphertext), envelope }
          : {})
      }
    }),
  "message.seal": (input) =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      const reader = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "reader")))
      const ephemeral = yield* crypto.ephemeral(fromHex(text(input, "ephemeral")))
      const aad = Seal.aad(reader)
      const sealed = yield* Hpke.seal(reader, Seal.info, aad, fromBase64Url(text(input, "envelope")), ephemeral)
      const frame = yield* Effect.fromResult(Seal.encode(sealed))
      const dh = yield* crypto.agreeEphemeral(ephemeral, reader)
      const empty = new Uint8Array(0)
      const sharedInfo = Labels.sharedSecretInfo(sealed.enc, reader.x25519)
      const shared = yield* crypto.hkdfSha256(Labels.sharedSecretIkm(dh), empty, sharedInfo, 32)
      const context = Labels.keyScheduleContext(yield* crypto.hmacSha256(empty, Labels.infoHashIkm(Seal.info)))
      const secret = yield* crypto.hmacSha256(shared, Labels.secretIkm)
      const block = (info: Uint8Array) => crypto.hmacSha256(secret, Bytes.concat(info, Uint8Array.of(1)))
      return {
        enc: toHex(sealed.enc),
        dh: toHex(dh),
        shared_secret: toHex(shared),
        key: toHex(yield* block(Labels.keyInfo(context))),
        nonce: toHex((yield* block(Labels.nonceInfo(context))).subarray(0, 12)),
        aad: toHex(aad),
        frame: toBase64Url(frame)
      }
    }),
  "message.open": (input) =>
    Effect.gen(function* () {
      const identity = yield* identityOf(input)
      const { hash, json, message, peer, role } = yield* SealedMessage.openFrame(
        identity,
        fromBase64Url(text(input, "frame"))
      )
      return {
        role,
        peer: PrimaryKey.format(peer),
        from: PrimaryKey.format(message.from),
        to: PrimaryKey.format(message.to),
        id: message.id,
        device: message.device,
        seq: message.seq,
        hash,
        body: json
      }
    })
}
