/** The reference without one of its verifications each, and the scenarios or vectors that must notice. */
import { all } from "../clients/Alterations.ts"
import type { Without } from "./Without.ts"

export interface Unverified extends Without {
  readonly name: string
  /** Ids of scenarios, or of vectors where only an operation verifies it. */
  readonly kills: ReadonlyArray<string>
}

const message = "sdk/src/crypto/SealedMessage.ts"
const chain = "sdk/src/crypto/verified/VerifiedChain.ts"
const record = "sdk/src/crypto/verified/VerifiedRecord.ts"
const manifest = "sdk/src/crypto/SealedManifest.ts"
const transfer = "sdk/src/crypto/verified/VerifiedTransfer.ts"

export const unverified: ReadonlyArray<Unverified> = [
  {
    name: "who signed a message",
    kills: all("frames", "forged-author-fetched"),
    file: message,
    edits: [["  yield* SignedEnvelope.verifyBytes(crypto, signedBytes, envelope.signature)\n", ""]]
  },
  {
    name: "whose device an offered file is on",
    kills: all("contacts", "foreign-ticket"),
    file: message,
    edits: [["  yield* Effect.fromResult(Body.checkAuthor(body, message.from))\n", ""]]
  },
  {
    name: "the padding",
    kills: all("frames", "bad-padding-fetched"),
    file: "sdk/src/protocol/messages/Padding.ts",
    edits: [['    if (padded[i] !== 0) return fail("padding_invalid", "the padding is not all zero")\n', ""]]
  },
  {
    name: "whose messages a receipt names",
    kills: all("receipts", "of-others"),
    file: "sdk/src/client/messaging/EarlyReceipts.ts",
    edits: [
      ["seen?.peer !== author || seen.order", "seen?.peer === undefined || seen.order"],
      [
        "MessageLog.change(transaction, author, seen.order, (row)",
        "MessageLog.change(transaction, seen.peer, seen.order, (row)"
      ]
    ]
  },
  {
    name: "who signed an event",
    kills: all("chains", "unsigned-event", "first-unsigned-event"),
    file: chain,
    edits: [["    yield* SignedEnvelope.verifyBytes(crypto, Bytes.utf8(text), envelope.signature)\n", ""]]
  },
  {
    name: "whether the key of a rotation accepted",
    kills: all("chains", "unaccepted-rotation"),
    file: chain,
    edits: [
      ["      yield* SignedEnvelope.verifyBytes(crypto, Envelope.signedBytes(payload), {", "      void ({"],
      ["        sig\n      })", "        sig\n      })"]
    ]
  },
  {
    name: "which event an event follows",
    kills: all("chains", "broken-link"),
    file: "sdk/src/protocol/sigchain/Sigchain.ts",
    edits: [["event.prev !== head?.hash", "false"]]
  },
  {
    name: "the number of an event",
    kills: all("chains", "skipped-seq"),
    file: "sdk/src/protocol/sigchain/Sigchain.ts",
    edits: [["event.seq !== expected", "false"]]
  },
  {
    name: "whose event it is",
    kills: all("chains", "event-of-another"),
    file: "sdk/src/protocol/sigchain/Sigchain.ts",
    edits: [["event.primary !== primary", "false"]]
  },
  {
    name: "how full a chain is",
    kills: all("chains", "full"),
    file: "sdk/src/protocol/sigchain/Sigchain.ts",
    edits: [["chainBytes + bytes + 1 <= most", "true"]]
  },
  {
    name: "whose inbox an endpoint names",
    kills: all("chains", "foreign-inbox"),
    file: "sdk/src/protocol/sigchain/Endpoint.ts",
    edits: [['members.literal("inbox", inboxOf(primary))', 'members.string("inbox", 200)']]
  },
  {
    name: "who signed a registration",
    kills: all("records", "forged"),
    file: record,
    edits: [["  yield* Effect.mapError(SignedEnvelope.verify(record.registration), invalid)\n", ""]]
  },
  {
    name: "for which server a registration is",
    kills: all("records", "other-server"),
    file: record,
    edits: [
      ["server !== asked.server", "false"],
      ["record.handle !== `${handle}@${server}`", "false"]
    ]
  },
  {
    name: "who signed a manifest",
    kills: all("manifests", "forged"),
    file: manifest,
    edits: [["  yield* SignedEnvelope.verifyBytes(yield* Crypto, signedBytes, envelope.signature)\n", ""]]
  },
  {
    name: "whose manifest it is",
    kills: all("manifests", "of-another"),
    file: manifest,
    edits: [["manifest.owner.hex !== owner.hex", "false"]]
  },
  {
    name: "which anchor a manifest follows",
    kills: all("manifests", "without-anchor", "other-anchor"),
    file: manifest,
    edits: [["  yield* Effect.fromResult(Manifest.checkAnchor(seen, anchor))\n", ""]]
  },
  {
    name: "whose page it is",
    kills: all("pages", "of-others-shows-nothing"),
    file: "sdk/src/protocol/broker/Page.ts",
    edits: [["!Bytes.equal(bytes.subarray(at.ed25519, at.nonce), expected.ed25519) ||\n", ""]]
  },
  {
    name: "to which request an answer belongs",
    kills: all("contacts", "trim"),
    file: "sdk/src/protocol/broker/Trim.ts",
    edits: [[" || n !== Bytes.toBase64Url(nonce)", ""]]
  },
  {
    name: "from which stream a frame comes",
    kills: all("stream", "foreign-stream"),
    file: "sdk/src/adapters/nats-core/Delivery.ts",
    edits: [['  if (single(header, "Nats-Stream") !== Subject.streamName) return undefined\n', ""]]
  },
  {
    name: "the form of a nonce",
    kills: all("logins", "nonce-short", "nonce-text"),
    file: "sdk/src/protocol/broker/BrokerLogin.ts",
    edits: [["  if (!isNonce(nonce)) {", "  if (nonce.length < 0) {"]]
  }
]

/** What home servers verify and clients do not. */
export const unverifiedTransfers: ReadonlyArray<Unverified> = [
  {
    name: "who signed a transfer",
    kills: ["registration/transfer.invalid.json#transfer-signature"],
    file: transfer,
    edits: [["  yield* SignedEnvelope.verify(request.transfer)\n", ""]]
  },
  {
    name: "whether the new key of a transfer accepted",
    kills: ["registration/transfer.invalid.json#accepted-other-handle"],
    file: transfer,
    edits: [["  yield* SignedEnvelope.verifyBytes(yield* Crypto, Envelope.signedBytes(acceptance), {", "  void ({"]]
  },
  {
    name: "who signed the registration of a transfer",
    kills: ["registration/transfer.invalid.json#registration-signature"],
    file: transfer,
    edits: [["  yield* SignedEnvelope.verify(request.registration)\n", ""]]
  }
]
