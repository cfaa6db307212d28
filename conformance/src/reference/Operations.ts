/** The operations of the vectors, as this SDK has them. Each takes a case's input and returns what its file states. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Zstd } from "@kez-chat/sdk/node"
import { ContactState } from "@kez-chat/sdk"
import {
  Identity,
  SafetyNumber,
  SignedEnvelope,
  VerifiedChain,
  VerifiedRecord,
  VerifiedTransfer
} from "@kez-chat/sdk/crypto"
import {
  AddressClass,
  Bytes,
  Canonical,
  Claim,
  Encoding,
  Envelope,
  Handle,
  Identifier,
  Json,
  Mnemonic,
  Nkey,
  PrimaryKey,
  Registration,
  SafetyNumber as SafetyNumbers,
  Sigchain,
  Timestamp,
  Transfer
} from "@kez-chat/sdk/protocol"
import { HomeReach } from "@kez-chat/sdk/services"
import { Crypto } from "@kez-chat/sdk/services"
import { brokerOperations } from "./BrokerOperations.ts"
import {
  fromBase64Url,
  fromHex,
  identityOf,
  type Input,
  list,
  number,
  object,
  type Operation,
  pure,
  text
} from "./CaseInput.ts"
import { fileOperations } from "./FileOperations.ts"
import { messageOperations } from "./MessageOperations.ts"
import { claimOperations } from "./ClaimOperations.ts"
import { proofOperations } from "./ProofOperations.ts"

const { toBase64Url, toHex } = Bytes

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

/** A statement of either kind, by the SDK's typed signer: one without a member that its types require has no form here. */
const signed = (identity: Identity.Identity, kez: string, payload: Input) =>
  Effect.gen(function* () {
    const { created_at, expires_at, handle, server, subject } = payload
    const isClaim = kez === "claim"
    if ((isClaim ? [subject] : [handle, server]).some((member) => typeof member !== "string"))
      return yield* Effect.fail({ code: "envelope_malformed" })
    const time = (value: unknown) => Effect.fromResult(Timestamp.parse(String(value)))
    const createdAt = yield* time(created_at)
    const expires = expires_at === undefined ? {} : { expiresAt: yield* time(expires_at) }
    return yield* isClaim
      ? identity.signClaim({ subject: subject as string, createdAt, ...expires })
      : identity.signRegistration({ handle: handle as string, server: server as string, createdAt })
  })

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
  "envelope.sign": (input) =>
    Effect.gen(function* () {
      const payload = object(input["payload"])
      const identity = yield* identityOf(input)
      const envelope = yield* signed(identity, text(input, "kez"), payload)
      // The SDK takes statements without the members that follow from key and kind: others cannot be asked for.
      return Canonical.encodeText(envelope.payload) === Canonical.encodeText(payload)
        ? envelope.signature
        : yield* Effect.fail({ code: "envelope_kind" })
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
      const { registration: envelope } = yield* Effect.fromResult(
        Registration.parseInvited(input["body"] ?? null, text(input, "server"))
      )
      const statement = yield* Effect.fromResult(Registration.parseRegistration(envelope))
      if (statement.server !== text(input, "server")) return yield* Effect.fail({ code: "wrong_server" })
      yield* SignedEnvelope.verify(envelope)
      yield* Effect.fromResult(Registration.checkWindow(statement, Date.parse(text(input, "now"))))
      const { createdAt, handle, primary, server } = statement
      return { handle, server, primary, created_at: createdAt }
    }),
  "transfer.check": (input) =>
    Effect.gen(function* () {
      const parsed = yield* VerifiedTransfer.verify(input["body"] ?? null)
      if (parsed.server !== text(input, "server")) return yield* Effect.fail({ code: "wrong_server" })
      yield* Effect.fromResult(Transfer.checkWindow(parsed, Date.parse(text(input, "now"))))
      const { handle, new: successor, old, rotate, server } = parsed
      return { handle, server, old: PrimaryKey.format(old), new: PrimaryKey.format(successor), rotate }
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
  "wellKnown.parse": pure((input) =>
    Result.map(Registration.parseWellKnown(input["json"] ?? null), ({ broker, limits, server, sig_server }) => ({
      server,
      broker,
      sig_server,
      limits
    }))
  ),

  "namedHost.check": pure((input) => {
    const host = text(input, "host")
    const addressClass = () => text(input, "home") as AddressClass.AddressClass
    const checked = HomeReach.checkHost({ home: "https://home.example", addressClass }, host)
    return Result.map(checked, () => AddressClass.ofHost(host) ?? null)
  }),

  ...brokerOperations,
  ...proofOperations,
  ...claimOperations,
  ...messageOperations,
  ...fileOperations
}
