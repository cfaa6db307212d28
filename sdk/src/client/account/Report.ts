/** The use case `report`: tells the home's operator of an account, with messages that prove what it wrote. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Identity } from "../../crypto/Identity.ts"
import { type KeyAdmission, PrimaryKey } from "../../protocol/index.ts"
import type { Evidence } from "../../protocol/messages/Report.ts"
import { Directory } from "../../services/Directory.ts"
import { Contacts } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as ProvenMessage from "../internal/ProvenMessage.ts"
import * as Rows from "../internal/rows/index.ts"
import type { ReportOptions, ReportOutcome } from "../model/index.ts"
import { Lifecycle } from "./Lifecycle.ts"

const { key } = Rows

/** The proof of a received message; undefined where this device cannot make it. */
const evidenceOf = Effect.fnUntraced(function* (identity: Identity, from: KeyAdmission.AdmittedKey, id: string) {
  const ledger = yield* Ledger
  const seen = yield* ledger.get(key.seenBy(from.hex, id), Rows.Seen)
  if (seen?.peer !== from.hex || seen.order === undefined) return undefined
  const row = yield* ledger.get(key.message(from.hex, seen.order), Rows.MessageRow)
  return row === undefined ? undefined : yield* ProvenMessage.disclose(identity, { id, from, to: identity.key }, row)
})

/** See `KezChat.report`. */
export const report = Effect.fn("report")(function* ({ messages = [], note = "", reason, who }: ReportOptions) {
  const directory = yield* Directory
  const { server } = yield* (yield* CurrentAccount).get
  const { identity } = yield* (yield* Lifecycle).start()
  const { primary } = yield* (yield* Contacts).contact(who)
  const reported = yield* Effect.fromResult(PrimaryKey.parseEd25519(primary))
  const proofs: Array<Evidence> = []
  const proven: Array<string> = []
  const unprovable: Array<string> = []
  for (const id of new Set(messages)) {
    const evidence = yield* evidenceOf(identity, reported, id)
    if (evidence === undefined) unprovable.push(id)
    else {
      proofs.push(evidence)
      proven.push(id)
    }
  }
  const createdAt = yield* Clock.currentTimeMillis
  const statement = yield* identity.signReport({ server, reported, reason, note, createdAt, messages: proofs })
  const { id } = yield* directory.report(statement)
  const outcome: ReportOutcome = { id, proven, unprovable }
  return outcome
})
