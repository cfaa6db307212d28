/**
 * Making a proof: sign the claim, have the user publish it, wait until it is seen as others will see it, and record it
 * in the sigchain. Every step is stored, so that a later call resumes where one stopped.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Encoding, Envelope, Identifier } from "../../protocol/index.ts"
import { ProofFetcher } from "../../services/index.ts"
import { ClaimBook, type ClaimState, ProofCheck } from "../claims/index.ts"
import { self, Trust } from "../contacts/index.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, scanRows } from "../internal/Ledger.ts"
import { type Chain, OwnSigchain } from "../internal/OwnSigchain.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import { ProofRefused, type Proving as Step } from "../model/index.ts"
import { Proofs } from "./Proofs.ts"

/** Pauses between two looks for a proof: the first ones are short, because somebody is waiting; then they grow. */
const firstPauseMillis = 10_000
const lastPauseMillis = 5 * 60_000

const claimIn = ({ state }: Chain, subject: string) =>
  state.claims.find((claim) => !claim.revoked && Identifier.same(claim.subject, subject))

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const claimBook = yield* ClaimBook
  const fetcher = yield* ProofFetcher
  const ownSigchain = yield* OwnSigchain
  const proofCheck = yield* ProofCheck
  const proofs = yield* Proofs

  const publicationOf = Effect.fnUntraced(function* (subject: Identifier.Identifier, claim: Envelope.Envelope) {
    const publication = yield* fetcher.publication(subject, {
      compact: Encoding.encodeCompact(claim, fetcher.compress),
      markdown: Encoding.encodeMarkdown(claim),
      json: JSON.stringify(Envelope.toJson(claim), undefined, 2)
    })
    return publication ?? (yield* refused(subject))
  })

  const refused = ({ text: subject }: Identifier.Identifier) => {
    const known = fetcher.systems.join(", ")
    const detail = known === "" ? "this client makes no proofs" : `proofs can be made here for these systems: ${known}`
    return new ProofRefused({ subject, reason: "unsupported", detail })
  }

  const stepOf = Effect.fnUntraced(function* (
    { checkedAt, claim, nextCheckAt, sentence, ...row }: Rows.ProvingRow,
    step: Step["step"] = row.step
  ) {
    const subject = yield* Effect.fromResult(Identifier.parse(row.subject))
    const publication = yield* publicationOf(subject, yield* Effect.fromResult(Envelope.parse(claim)))
    const { steps, text, where } = publication
    return {
      subject: row.subject,
      step,
      publication: { steps, text, where },
      ...(sentence === undefined ? {} : { sentence }),
      ...(checkedAt === undefined ? {} : { checkedAt }),
      ...(nextCheckAt === undefined ? {} : { nextCheckAt })
    } satisfies Step
  })

  const keyOf = (row: { readonly subject: string }) => Rows.key.proving(row.subject)

  const ended = (subject: string) =>
    new ProofRefused({ subject, reason: "unknown", detail: "meanwhile it was taken back, or recorded" })

  /** Stores how far a proof got, and publishes it. One that ended meanwhile is not begun again. */
  const store = Effect.fnUntraced(function* (row: Rows.ProvingRow, isNew: boolean) {
    const proving = yield* stepOf(row)
    yield* ledger.transact(
      Effect.fnUntraced(function* (transaction) {
        if (!isNew && !(yield* transaction.has(keyOf(row)))) return yield* ended(row.subject)
        transaction.put(keyOf(row), Rows.Proving, row)
        transaction.onCommit(() => events.publish({ _tag: "Proving", proving }))
      })
    )
    return proving
  })

  const begin = Effect.fnUntraced(function* (session: Session, text: string) {
    const subject = yield* Effect.fromResult(Identifier.parse(text))
    // What this client cannot see published would be looked for without end.
    if (!fetcher.systems.includes(subject.system)) return yield* refused(subject)
    const known = yield* ledger.get(keyOf({ subject: subject.text }), Rows.Proving)
    if (known !== undefined) return known
    const createdAt = yield* Clock.currentTimeMillis
    const claim = yield* session.identity.signClaim({ subject: subject.text, createdAt })
    const row: Rows.ProvingRow = { subject: subject.text, claim: Envelope.encodeText(claim), step: "publish" }
    // What nobody can publish is not begun.
    yield* publicationOf(subject, claim)
    yield* store(row, true)
    return row
  })

  /** Records what was found in the sigchain. It may be there already, if an earlier call was cut short. */
  const recordInChain = Effect.fnUntraced(function* (
    session: Session,
    row: Rows.ProvingRow,
    finding: ClaimState.Finding
  ) {
    const { subject } = row
    const chain = yield* ownSigchain.append(session.identity, (chain) =>
      Effect.map(ledger.get(keyOf(row), Rows.Proving), (known) =>
        known !== undefined && claimIn(chain, subject) === undefined ? { op: "add", payload: { subject } } : undefined
      )
    )
    if (claimIn(chain, subject) === undefined) return yield* ended(subject)
    const contact = Trust.toContact(self(session.account()))
    const proving = yield* stepOf(row, "recorded")
    yield* ledger.transact((transaction) =>
      Effect.map(claimBook.sync(transaction, contact, chain.state.claims), () => {
        transaction.delete(keyOf(row))
        transaction.onCommit(() => events.publish({ _tag: "Proving", proving }))
      })
    )
    yield* proofs.record(contact, subject, finding)
    return proving
  })

  /** Looks for the proof once. */
  const look = Effect.fnUntraced(function* (session: Session, row: Rows.ProvingRow, pauseMillis: number) {
    const finding = yield* proofCheck.check(session.identity.primary, row.subject)
    const checkedAt = yield* Clock.currentTimeMillis
    const { nextCheckAt: _, sentence: __, ...rest } = row
    if (finding._tag === "Good") return { finding, row: { ...rest, step: "visible" as const, checkedAt } }
    const retryAt = finding._tag === "Limited" ? finding.retryAt : undefined
    const nextCheckAt = Math.max(checkedAt + pauseMillis, retryAt ?? 0)
    return { finding, row: { ...rest, step: "publish" as const, checkedAt, nextCheckAt, sentence: finding.sentence } }
  })

  const prove = (session: Session, text: string) =>
    Stream.unwrap(
      Effect.map(begin(session, text), (begun) => {
        type Next = { readonly row: Rows.ProvingRow; readonly pause: number; readonly finding?: ClaimState.Finding }
        const first = Stream.fromEffect(stepOf(begun))
        const rest = Stream.unfold(
          { row: begun, pause: firstPauseMillis } as Next | undefined,
          Effect.fnUntraced(function* (state: Next | undefined) {
            if (state === undefined) return undefined
            if (state.finding?._tag === "Good") {
              return [yield* recordInChain(session, state.row, state.finding), undefined] as const
            }
            const now = yield* Clock.currentTimeMillis
            // The first look is at once, also where an earlier call planned a later one.
            const wait = state.row === begun ? 0 : (state.row.nextCheckAt ?? 0) - now
            if (wait > 0) yield* Effect.sleep(wait)
            const { finding, row } = yield* look(session, state.row, state.pause)
            const next: Next = { row, finding, pause: Math.min(state.pause * 1.5, lastPauseMillis) }
            return [yield* store(row, false), next] as const
          })
        )
        return Stream.concat(first, rest)
      })
    )

  const revoke = Effect.fn("revokeProof")(function* (session: Session, text: string) {
    const subject = Result.match(Identifier.parse(text), { onFailure: () => text, onSuccess: (parsed) => parsed.text })
    // First, so that a `prove` that waits elsewhere does not record it after all.
    const isBegun = yield* ledger.transact((transaction) =>
      Effect.map(transaction.has(keyOf({ subject })), (has) => {
        transaction.delete(keyOf({ subject }))
        return has
      })
    )
    let isClaimed = false
    const chain = yield* ownSigchain.append(session.identity, (chain) =>
      Effect.sync(() => {
        const claim =
          claimIn(chain, subject) ?? chain.state.claims.find((each) => each.subject === text && !each.revoked)
        if (claim === undefined) return undefined
        isClaimed = true
        return { op: "revoke", payload: { subject: claim.subject } }
      })
    )
    const contact = Trust.toContact(self(session.account()))
    yield* ledger.transact((transaction) => claimBook.sync(transaction, contact, chain.state.claims))
    if (isClaimed || isBegun) return
    return yield* new ProofRefused({ subject, reason: "unknown", detail: "your sigchain does not claim it" })
  })

  return {
    prove,
    revoke,
    /** The proofs that were begun and are not recorded. */
    unfinished: Effect.flatMap(
      Effect.suspend(() => scanRows(ledger, { prefix: Rows.prefix.provings }, Rows.Proving)),
      Effect.forEach(({ row }) => stepOf(row))
    )
  }
})

/** See `prove` and `revokeProof` of `KezChat`. */
export class Proving extends Context.Service<Proving>()("@kez-chat/sdk/Proving", { make }) {}

export const layer = Layer.effect(Proving, make)
