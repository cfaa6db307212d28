/** Formats claims of identities elsewhere, and what checks found. */
import type { Admission, Claim } from "@kez-chat/sdk"
import * as Columns from "./Columns.ts"
import * as Sanitise from "./Sanitise.ts"
import * as Show from "./Show.ts"
import type { Style } from "./Style.ts"

/** `today 14:03`, or the day. */
const when = (millis: number): string => {
  const day = Show.day(millis)
  return day === Show.day(Date.now()) ? `today ${Show.clock(millis)}` : day
}

/** The state in one or two words. */
const word = ({ lastGoodAt, revoked, state }: Claim, style: Style): string => {
  if (revoked) return style.dim("taken back")
  if (state === "valid") return style.good("proven")
  if (state === "broken") return style.bad(lastGoodAt === undefined ? "NOT PROVEN" : "NO LONGER PROVEN")
  return state === "unreachable" ? style.caution("cannot be checked") : style.dim("not checked yet")
}

/** What there is to say besides the state: times, and why. */
const details = (claim: Claim): ReadonlyArray<string> => {
  const { checkedAt, evidence, lastGoodAt, retryAt, revoked, sentence, state } = claim
  if (revoked) return []
  const dnssec = evidence?.dnssec === undefined ? "" : evidence.dnssec === "secure" ? ", DNSSEC" : ", without DNSSEC"
  return [
    ...(state === "valid" && checkedAt !== undefined ? [`checked ${when(lastGoodAt ?? checkedAt)}${dnssec}`] : []),
    ...(state !== "valid" && lastGoodAt !== undefined ? [`last proven ${when(lastGoodAt)}`] : []),
    ...(state === "valid" && sentence === "the proof holds" ? [] : state === "unchecked" ? [] : [sentence]),
    ...(retryAt === undefined ? [] : [`asked again after ${when(retryAt)}`])
  ]
}

/** A line for each claim, and below it what there is to say about it. */
export const table = (claims: ReadonlyArray<Claim>, style: Style): ReadonlyArray<string> => {
  const subjects = claims.map(({ subject }) => Columns.cut(Sanitise.line(subject), 60))
  const width = Math.max(0, ...subjects.map(Columns.width))
  return claims.flatMap((claim, index) => {
    const [first, ...rest] = details(claim).map(Sanitise.line)
    const isShort = first !== undefined && Columns.width(first) <= 40
    return [
      `    ${Columns.pad(subjects[index]!, width)}  ${word(claim, style)}${isShort ? `  ${style.dim(first)}` : ""}`,
      ...[...(isShort || first === undefined ? [] : [first]), ...rest].map((line) => `        ${style.dim(line)}`)
    ]
  })
}

/** Why the inbox policy let a stranger in. */
export const admission = (value: Admission): string =>
  value.by === "proof"
    ? `proven: ${Sanitise.line(value.subject)}, checked ${when(value.checkedAt)}`
    : `introduced by ${Sanitise.line(value.who)}`
