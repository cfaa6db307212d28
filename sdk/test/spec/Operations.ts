/** What the operations of the vectors are in this SDK. Each takes a case's input and gives what its file says. */
import { Effect, Redacted, Result } from "effect"
import { Zstd } from "../../src/adapters/node/index.ts"
import * as ContactState from "../../src/client/contacts/ContactState.ts"
import * as Position from "../../src/client/messaging/Position.ts"
import {
  Hpke,
  Identity,
  SafetyNumber,
  SealedMessage,
  SignedEnvelope,
  VerifiedChain,
  VerifiedRecord
} from "../../src/crypto/index.ts"
import {
  Block,
  AddressClass,
  BrokerLogin,
  Bytes,
  Canonical,
  Claim,
  Encoding,
  Envelope,
  Handle,
  Hpke as Labels,
  Identifier,
  Json,
  Message,
  Mnemonic,
  Nkey,
  Padding,
  Page,
  PrimaryKey,
  Registration,
  SafetyNumber as SafetyNumbers,
  Seal,
  Sigchain,
  Subject,
  Timestamp,
  Trim
} from "../../src/protocol/index.ts"
import type { Problem } from "../../src/protocol/Problem.ts"
import * as HomeReach from "../../src/services/HomeReach.ts"
import { Crypto, type DecryptionFailed, type ZeroSharedSecret } from "../../src/services/Crypto.ts"
import { fileOperations } from "./FileOperations.ts"

type Input = Readonly<Record<string, Json.Json>>
type Failure = Problem | ZeroSharedSecret | DecryptionFailed | { readonly code: string }
type Operation = (input: Input) => Effect.Effect<unknown, Failure, Crypto>

const text = (input: Input, name: string): string => {
  const value = input[name]
  if (typeof value !== "string") throw new TypeError(`the case has no ${name}`)
  return value
}
const number = (input: Input, name: string): number => {
  const value = input[name]
  if (typeof value !== "number") throw new TypeError(`the case has no ${name}`)
  return value
}
const object = (value: Json.Json | undefined): Input => {
  if (!Json.isObject(value)) throw new TypeError("the case lacks an object")
  return value
}
const list = (value: Json.Json | undefined): ReadonlyArray<Json.Json> => {
  if (!Array.isArray(value)) throw new TypeError("the case lacks a list")
  return value
}
const fromHex = (value: string): Uint8Array => Result.getOrThrow(Bytes.fromHex(value))
const fromBase64Url = (value: string): Uint8Array => Result.getOrThrow(Bytes.fromBase64Url(value))
const { toBase64Url, toHex } = Bytes

const identityOf = (input: Input) => Identity.fromSeed(Redacted.make(fromHex(text(input, "seed"))))
const pure =
  (f: (input: Input) => Result.Result<unknown, Failure>): Operation =>
  (input) =>
    Effect.fromResult(f(input))
const sha256 = (data: Uint8Array) =>
  Effect.map(
    Crypto.use((crypto) => crypto.sha256(data)),
    toHex
  )

const header = (input: Input, to: Message.Header["to"]) => ({
  to,
  id: text(input, "id"),
  device: text(input, "device"),
  seq: number(input, "seq"),
  createdAt: Result.getOrThrow(Timestamp.parse(text(input, "created_at"))),
  ...(input["prev"] === undefined ? {} : { prev: text(input, "prev") })
})

/** One step of a client's positions, as `client/` takes it. */
const positionStep = (position: Position.Position, step: Input): readonly [string, Position.Position] => {
  if (step["live"] !== undefined) {
    const live = object(step["live"])
    const frame = {
      subject: text(live, "subject") as "inbox" | "self",
      seq: number(live, "seq"),
      lastSeq: number(live, "last_seq_of_subject")
    }
    const verdict = Position.judge(position, frame)
    if (verdict === "take") return ["take", Position.afterLive(position, frame)]
    return [verdict === "known" ? "drop" : "fetch", position]
  }
  const page = object(step["page"])
  const seqs = list(page["seqs"]) as ReadonlyArray<number>
  const read: Page.Page = {
    epoch: text(page, "epoch"),
    last: number(page, "last_seq"),
    pending: number(page, "pending"),
    frames: seqs.map((seq) => ({ seq, timeMillis: 0, frame: new Uint8Array(1) }))
  }
  const fresh: Position.Position = { ...Position.start, epoch: read.epoch }
  if (!Position.isOtherStream(position, read) && Position.isBeyondEnd(position, read)) return ["restart", fresh]
  const from = Position.isOtherStream(position, read) ? fresh : { ...position, epoch: read.epoch }
  const last = seqs.at(-1)
  return ["take", last === undefined ? from : Position.afterFetched(from, last)]
}

/** A contact's state and events, as `client/ContactState` has them. */
const contactTrace = (input: Input): ReadonlyArray<unknown> => {
  const { names, rotated_to, ...plain } = object(input["state"])
  let state = {
    ...plain,
    ...(names === undefined ? {} : { names }),
    ...(rotated_to === undefined ? {} : { rotatedTo: rotated_to })
  } as unknown as ContactState.ContactState
  return list(input["events"]).map((step) => {
    const { at, ...event } = object(step)
    const now = Result.getOrThrow(Timestamp.parse(String(at)))
    const { notice, refused, state: after } = ContactState.apply(state, event as unknown as ContactState.Event, now)
    state = after
    const offered = ContactState.offered(state)
    return {
      pinned: state.pinned,
      name: state.name,
      chain: state.chain,
      ...(offered === undefined ? {} : { offered }),
      sends: ContactState.maySend(state),
      number: ContactState.numberOf(state),
      verified: ContactState.isVerified(state),
      ...(notice === undefined ? {} : { notice }),
      ...(refused === undefined ? {} : { refused })
    }
  })
}

export const operations: Readonly<Record<string, Operation>> = {
  "contact.trace": (input) => Effect.sync(() => contactTrace(input)),
  "primary.parse": pure((input) =>
    Result.map(PrimaryKey.parse(text(input, "primary")), (parsed) =>
      parsed.system === "ed25519"
        ? {
            system: "ed25519",
            ed25519: toHex(parsed.key.ed25519),
            x25519: toHex(parsed.key.x25519),
            nkey: Nkey.fromKey(parsed.key)
          }
        : { system: "nostr", x: toHex(parsed.x) }
    )
  ),
  "signature.verify": (input) =>
    Effect.gen(function* () {
      const key = yield* Effect.fromResult(PrimaryKey.parseEd25519(`ed25519:${text(input, "public_key")}`))
      const crypto = yield* Crypto
      const verdict = yield* crypto.verify(key, fromHex(text(input, "message")), fromHex(text(input, "signature")))
      return verdict || (yield* Effect.fail({ code: "signature_invalid" }))
    }),
  "x25519.agree": (input) =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      const key = yield* crypto.importSeed(Redacted.make(fromHex(text(input, "seed"))))
      const peer = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "peer")))
      return toHex(yield* crypto.agree(key, peer))
    }),
  "x25519.agreeWithEphemeral": (input) =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      const key = yield* crypto.importSeed(Redacted.make(fromHex(text(input, "seed"))))
      return toHex(yield* crypto.agreeWithEphemeral(key, fromHex(text(input, "public_key"))))
    }).pipe(Effect.catchTag("ZeroSharedSecret", () => Effect.fail({ code: "zero_shared_secret" }))),
  "mnemonic.toSeed": (input) =>
    Effect.gen(function* () {
      const words = text(input, "words")
      const seed = yield* Effect.fromResult(Mnemonic.toSeed(words))
      const list = words.toLowerCase().split(/\s+/).filter(Boolean)
      if (list.length === 24 && Mnemonic.fromSeed(seed) !== list.join(" "))
        return "other words are written for the seed"
      const { key } = yield* Identity.fromSeed(Redacted.make(seed))
      return { seed: toHex(seed), public_key: key.hex }
    }),
  "handle.parse": pure((input) =>
    Result.map(Handle.parse(text(input, "handle")), ({ local, server }) => ({ local, server }))
  ),
  "handle.parseMention": pure((input) =>
    Result.map(Handle.parseMention(text(input, "text"), text(input, "server")), (handle) => handle.text)
  ),
  "identifier.parse": pure((input) =>
    Result.map(Identifier.parse(text(input, "identifier")), (identifier) => identifier.text)
  ),
  "safetyNumber.of": (input) =>
    Effect.gen(function* () {
      const a = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "a")))
      const b = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "b")))
      const { digest, digits, qr } = yield* SafetyNumber.of(a, b)
      return { digest: toHex(digest), number: digits, qr }
    }),
  "safetyNumber.parseQr": pure((input) => Result.map(SafetyNumbers.parseQr(text(input, "qr")), toHex)),

  "json.parse": pure((input) => {
    const bytes = fromBase64Url(text(input, "json"))
    const maxBytes = input["max_bytes"] === undefined ? 4096 : number(input, "max_bytes")
    return Result.map(Json.parse(bytes, { maxBytes }), Canonical.encodeText)
  }),
  "time.parse": pure((input) => Timestamp.parse(text(input, "time"))),
  "base64url.decode": pure((input) => Result.map(Bytes.fromBase64Url(text(input, "text")), toHex)),
  "hex.decode": pure((input) => Result.map(Bytes.fromHex(text(input, "text")), toBase64Url)),

  "envelope.verify": (input) =>
    Effect.gen(function* () {
      const envelope = yield* Effect.fromResult(Envelope.parse(fromBase64Url(text(input, "json"))))
      yield* SignedEnvelope.verify(envelope)
      return {
        kind: envelope.kez,
        signer: envelope.signature.key,
        signed: toBase64Url(Envelope.signedBytes(envelope.payload)),
        hash: yield* SignedEnvelope.hash(envelope)
      }
    }),
  "claim.parse": (input) =>
    Effect.gen(function* () {
      const envelope = yield* Effect.fromResult(Envelope.fromJson(input["envelope"] ?? null))
      yield* SignedEnvelope.verify(envelope)
      const { createdAt, expiresAt, primary, subject } = yield* Effect.fromResult(Claim.parse(envelope))
      return { subject, primary, created_at: createdAt, ...(expiresAt === undefined ? {} : { expires_at: expiresAt }) }
    }),
  "encoding.decode": (input) =>
    Effect.flatMap(Effect.fromResult(Encoding.decode(text(input, "text"), Zstd.decompress)), SignedEnvelope.hash),
  "encoding.decodeTxt": (input) =>
    Effect.flatMap(
      Effect.fromResult(Encoding.decodeTxt(list(input["segments"]) as ReadonlyArray<string>, Zstd.decompress)),
      SignedEnvelope.hash
    ),
  "encoding.decodeBundle": (input) =>
    Effect.flatMap(
      Effect.fromResult(Encoding.decodeBundle(text(input, "text"), Zstd.decompress)),
      Effect.forEach(SignedEnvelope.hash)
    ),

  "sigchain.verify": (input) =>
    Effect.gen(function* () {
      const envelopes = yield* Effect.forEach(list(input["events"]), (json) =>
        Effect.fromResult(Envelope.fromJson(json))
      )
      const { head, state } = yield* VerifiedChain.verify(text(input, "primary"), envelopes)
      return {
        head,
        endpoints: state.endpoints,
        claims: state.claims,
        ignored: state.ignored.map(({ seq }) => seq),
        ...(state.sharedFiles === undefined ? {} : { shared_files: state.sharedFiles }),
        ...(state.rotatedTo === undefined ? {} : { rotated_to: state.rotatedTo })
      }
    }),
  "sigchain.compare": (input) => {
    const known = input["known"] === undefined ? undefined : (object(input["known"]) as unknown as Sigchain.Head)
    const comparison = Sigchain.compare(known, list(input["hashes"]) as ReadonlyArray<string>)
    const alarm = Sigchain.alarm("ed25519:…", comparison)
    return alarm === undefined ? Effect.succeed(comparison._tag) : Effect.fail(alarm)
  },

  "registration.check": (input) =>
    Effect.gen(function* () {
      const envelope = yield* Effect.fromResult(Registration.parseRequest(input["body"] ?? null, text(input, "server")))
      const statement = yield* Effect.fromResult(Registration.parseRegistration(envelope))
      if (statement.server !== text(input, "server")) return yield* Effect.fail({ code: "wrong_server" })
      yield* SignedEnvelope.verify(envelope)
      yield* Effect.fromResult(Registration.checkWindow(statement, Date.parse(text(input, "now"))))
      const { createdAt, handle, primary, server } = statement
      return { handle, server, primary, created_at: createdAt }
    }),
  "record.verify": (input) =>
    Effect.gen(function* () {
      const record = yield* Effect.fromResult(Registration.parseRecord(input["record"] ?? null))
      const asked = object(input["asked"])
      const { record: verified } = yield* VerifiedRecord.verify(record, {
        server: text(asked, "server"),
        ...(asked["handle"] === undefined ? {} : { handle: text(asked, "handle") }),
        ...(asked["primary"] === undefined ? {} : { primary: text(asked, "primary") })
      })
      return { handle: verified.handle, primary: verified.primary }
    }),
  "wellKnown.parse": pure((input) => Registration.parseWellKnown(input["json"] ?? null)),

  "namedHost.check": pure((input) => {
    const host = text(input, "host")
    const addressClass = () => text(input, "home") as AddressClass.AddressClass
    const checked = HomeReach.checkHost({ home: "https://home.example", addressClass }, host)
    return Result.map(checked, () => AddressClass.ofHost(host) ?? null)
  }),

  "nkey.parse": pure((input) => Result.map(Nkey.toKey(text(input, "nkey")), (key) => key.hex)),
  "login.sign": (input) =>
    Effect.gen(function* () {
      const identity = yield* identityOf(input)
      const bytes = yield* Effect.fromResult(BrokerLogin.loginBytes(text(input, "host"), text(input, "nonce")))
      const signature = identity.brokerLogin.sign(text(input, "host"), text(input, "nonce"))
      return { bytes: toBase64Url(bytes), signature: toBase64Url(signature) }
    }),
  "login.host": pure((input) => BrokerLogin.normaliseHost(text(input, "url"))),
  "page.decode": pure((input) =>
    Result.map(
      Page.decode(fromBase64Url(text(input, "page")), {
        ed25519: fromHex(text(input, "account")),
        nonce: fromBase64Url(text(input, "n"))
      }),
      ({ epoch, frames, last, pending }) => ({
        epoch,
        last_seq: last,
        pending,
        frames: frames.map(({ frame, seq, timeMillis }) => ({ seq, time_ms: timeMillis, frame: toBase64Url(frame) }))
      })
    )
  ),
  "fetch.parse": pure((input) =>
    Result.map(Page.parseRequest(fromBase64Url(text(input, "request"))), ({ after, epoch, nonce }) => ({
      after,
      n: toBase64Url(nonce),
      ...(epoch === undefined ? {} : { epoch })
    }))
  ),
  "trim.parse": pure((input) =>
    Result.map(Trim.parseRequest(fromBase64Url(text(input, "request"))), ({ box, nonce, remove }) => ({
      box,
      n: toBase64Url(nonce),
      ...remove
    }))
  ),
  "block.parse": pure((input) =>
    Result.map(Block.parseRequest(fromBase64Url(text(input, "request"))), ({ nonce, ...rest }) => ({
      ...rest,
      n: toBase64Url(nonce)
    }))
  ),
  "subjects.of": pure((input) =>
    Result.map(PrimaryKey.parseEd25519(text(input, "primary")), ({ hex }) => ({
      inbox: Subject.inbox(hex),
      self: Subject.self(hex),
      delivery: Subject.delivery(hex),
      fetch: Subject.fetch(hex),
      trim: Subject.trim(hex),
      block: Subject.block(hex),
      reply_prefix: Subject.replyPrefix(hex)
    }))
  ),
  "positions.trace": (input) => {
    let position = Position.start
    return Effect.succeed(
      list(input["steps"]).map((step) => {
        const [action, next] = positionStep(position, object(step))
        position = next
        return { action, positions: { inbox: next.inbox, self: next.self }, fetch_after: next.base }
      })
    )
  },

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
      const back = yield* SealedMessage.decrypt(crypto, identity, to, message, envelope.payload)
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
    }),
  ...fileOperations
}
