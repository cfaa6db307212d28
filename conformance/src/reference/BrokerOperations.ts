/** The operations of the vectors that concern the broker: logins, subjects, requests and positions. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Position } from "@kez-chat/sdk"
import { SignedAcceptance } from "@kez-chat/sdk/crypto"
import { Block, BrokerLogin, Bytes, Nkey, Page, PrimaryKey, Subject, Trim } from "@kez-chat/sdk/protocol"
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

const { toBase64Url } = Bytes

/** One step of a client's positions, as `client/` takes it; `taken` are the numbers it took in this stream. */
const positionStep = (
  position: Position.Position,
  taken: Set<number>,
  step: Input
): readonly [string, Position.Position] => {
  if (step["live"] !== undefined) {
    const live = object(step["live"])
    const frame = {
      subject: text(live, "subject") as "inbox" | "self",
      seq: number(live, "seq"),
      lastSeq: number(live, "last_seq_of_subject")
    }
    const verdict = Position.judge(position, frame)
    if (verdict === "take") {
      taken.add(frame.seq)
      return ["take", Position.afterLive(position, frame)]
    }
    return [verdict === "known" && taken.has(frame.seq) ? "drop" : "fetch", position]
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
  const isOther = Position.isOtherStream(position, read)
  const isBeyondEnd = !isOther && Position.isBeyondEnd(position, read)
  if (isOther || isBeyondEnd) taken.clear()
  if (isBeyondEnd) return ["restart", fresh]
  for (const seq of seqs) taken.add(seq)
  const from = isOther ? fresh : { ...position, epoch: read.epoch }
  const last = seqs.at(-1)
  return ["take", last === undefined ? from : Position.afterFetched(from, last)]
}

export const brokerOperations: Readonly<Record<string, Operation>> = {
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
  "acceptance.verify": (input) =>
    Effect.gen(function* () {
      const key = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "key")))
      const recipient = yield* Effect.fromResult(PrimaryKey.parseEd25519(text(input, "recipient")))
      const accepted = { server: text(input, "server"), key, recipient, frame: fromBase64Url(text(input, "frame")) }
      const signed = { atMillis: Date.parse(text(input, "at")), sig: fromBase64Url(text(input, "sig")) }
      if (!(yield* SignedAcceptance.holds(accepted, signed))) return yield* Effect.fail({ code: "signature_invalid" })
      return yield* SignedAcceptance.hashes(accepted)
    }),
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
    const taken = new Set<number>()
    return Effect.succeed(
      list(input["steps"]).map((step) => {
        const [action, next] = positionStep(position, taken, object(step))
        position = next
        return { action, positions: { inbox: next.inbox, self: next.self }, fetch_after: next.base }
      })
    )
  }
}
