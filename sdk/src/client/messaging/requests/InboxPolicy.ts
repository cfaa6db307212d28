/** Which strangers the inbox policy lets in (spec/proofs.md, Policies). Pure. */
import * as Result from "effect/Result"
import { Handle, Identifier } from "../../../protocol/index.ts"
import { fail, type Problem } from "../../../protocol/Problem.ts"
import { ClaimState } from "../../claims/index.ts"
import type { ClaimRow } from "../../internal/rows/index.ts"
import type { Settings } from "../../model/index.ts"

type Policy = Pick<Settings, "inbox" | "introductions" | "provenBy">

/** A proof that was last good longer ago than this does not let anybody in (KEZ-PRF-163). */
export const freshMillis = 48 * 60 * 60 * 1_000

/** What happens to mail of a stranger who is no contact yet. */
export const forStrangers = ({ inbox, introductions }: Policy): "show" | "hold" | "drop" => {
  if (inbox === "everyone") return "show"
  return inbox === "proven" || introductions ? "hold" : "drop"
}

const domainOf = ({ id, system }: Identifier.Identifier): string | undefined => {
  if (system === "dns") return id
  return system === "web" ? URL.parse(id)?.hostname : undefined
}

/** Whether a proof of this subject lets a stranger in, if it holds. */
export const mayCount = (subject: string, { inbox, provenBy: { domains, systems } }: Policy): boolean => {
  const parsed = Identifier.parse(subject)
  if (inbox !== "proven" || Result.isFailure(parsed)) return false
  if (domains.length === 0 && systems.length === 0) return true
  const domain = domainOf(parsed.success)
  return (
    systems.includes(parsed.success.system) ||
    (domain !== undefined && domains.some((accepted) => domain === accepted || domain.endsWith(`.${accepted}`)))
  )
}

/** Whether a claim lets a stranger in: it counts, its proof holds, and that was seen lately and not missed since. */
export const counts = (row: ClaimRow, policy: Policy, now: number): boolean =>
  !row.revoked &&
  mayCount(row.subject, policy) &&
  ClaimState.toClaim(row, now).state === "valid" &&
  row.missedAt === undefined &&
  row.lastGoodAt !== undefined &&
  now - row.lastGoodAt <= freshMillis

/** What the policy asks for, in words. */
export const wanted = ({ provenBy: { domains, systems } }: Policy): string => {
  const names = [...systems, ...domains]
  return names.length === 0 ? "a proof of any identity elsewhere" : `a proof of ${names.join(", ")}`
}

/** The lists in the form that is stored. Fails with `identifier_malformed` for an entry that nothing can match. */
export const normalised = (
  { domains, systems }: Settings["provenBy"],
  isSystem: (name: string) => boolean
): Result.Result<Settings["provenBy"], Problem> => {
  const badSystem = systems.find((system) => !isSystem(Identifier.systemNamed(system)))
  if (badSystem !== undefined)
    return fail("identifier_malformed", `${badSystem} is no system that can be checked, such as dns or github`)
  const names = domains.map((domain) => domain.toLowerCase().replace(/\.$/, ""))
  const bad = names.find((name) => !name.includes(".") || !Handle.isServerName(name))
  if (bad !== undefined) return fail("identifier_malformed", `${bad} is no domain, such as example.org`)
  return Result.succeed({ systems: [...new Set(systems.map(Identifier.systemNamed))], domains: [...new Set(names)] })
}
