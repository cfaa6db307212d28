/** The use case `report`: tells the home's operator of an account, with messages that prove what it wrote. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Identity } from "../../crypto/Identity.ts"
import { KeyAdmission, PrimaryKey } from "../../protocol/index.ts"
import type { Evidence } from "../../protocol/messages/Report.ts"
import { Directory } from "../../services/Directory.ts"
import { ContactBook } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as ProvenMessage from "../internal/ProvenMessage.ts"
import * as Rows from "../internal/rows/index.ts"
import type { ReportOptions, ReportOutcome } from "../model/index.ts"
import { Lifecycle } from "./Lifecycle.ts"

const { key } = Rows

/**
 * The proof of a message that `from` wrote to the present key; undefined where this device cannot make it. Of a former key
 * the home takes no report, and of the present one none about messages to another (KEZ-RPT-001, KEZ-RPT-003).
 */
const evidenceOf = Effect.fnUntraced(function* (identity: Identity, from: KeyAdmission.AdmittedKey, id: string) {
  const ledger = yield* Ledger
  const seen = yield* ledger.get(key.seenBy(from.hex, id), Rows.Seen)
  if (seen?.peer !== from.hex || seen.order === undefined) return undefined
  const row = yield* ledger.get(key.message(from.hex, seen.order), Rows.MessageRow)
  return row === undefined ? undefined : yield* ProvenMessage.disclose(identity, { id, from, to: identity.key }, row)
})

interface Proven {
  readonly reported: KeyAdmission.AdmittedKey
  readonly proofs: ReadonlyMap<string, Evidence>
}

/** See `KezChat.report`. */
export const report = Effect.fn("report")(function* ({ messages = [], note = "", reason, who }: ReportOptions) {
  const directory = yield* Directory
  const account = yield* (yield* CurrentAccount).get
  const { server } = account
  const { identity } = yield* (yield* Lifecycle).start()
  const { former, primary } = yield* (yield* ContactBook).find(who, account)
  const ids = [...new Set(messages)]
  const present = yield* Effect.fromResult(PrimaryKey.parseEd25519(primary))
  let best: Proven = { reported: present, proofs: new Map() }
  // A report is about one key: that which wrote most of these messages.
  for (const hex of [present.hex, ...former]) {
    const reported = yield* Effect.fromResult(KeyAdmission.admitHex(hex))
    const proofs = new Map<string, Evidence>()
    for (const id of ids) {
      const evidence = yield* evidenceOf(identity, reported, id)
      if (evidence !== undefined) proofs.set(id, evidence)
    }
    if (proofs.size > best.proofs.size) best = { reported, proofs }
  }
  const { proofs, reported } = best
  const createdAt = yield* Clock.currentTimeMillis
  const statement = yield* identity.signReport({
    server,
    reported,
    reason,
    note,
    createdAt,
    messages: [...proofs.values()]
  })
  const { id } = yield* directory.report(statement)
  const outcome: ReportOutcome = {
    id,
    proven: [...proofs.keys()],
    unprovable: ids.filter((each) => !proofs.has(each))
  }
  return outcome
})
