/** What checks of servers say about answers: each function returns, or throws what the report shows. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { dataFolder } from "../suite/Data.ts"
import { NotChecked, Violation } from "./Outcome.ts"
import type { Answer } from "./Target.ts"

/** An answer as a report shows it. */
const shownAnswer = ({ headers, status, text }: Answer) => ({
  status,
  type: headers.get("content-type"),
  body: text.length > 600 ? `${text.slice(0, 600)}…` : text
})

const violation = (answer: Answer, message: string, expected?: unknown): Violation =>
  new Violation(`${answer.request}: ${message}`, expected, shownAnswer(answer))

export const holds = (answer: Answer, condition: boolean, message: string): void => {
  if (!condition) throw violation(answer, message)
}

/** A limit of the server is in the way of what a check asks. */
const notLimited = (answer: Answer): void => {
  if (answer.status === 429)
    throw new NotChecked(
      "untestable",
      `${answer.request} was answered with 429; raise the server's limits for this run, or run again in ${answer.headers.get("retry-after") ?? "some"} s`
    )
}

export const hasStatus = (answer: Answer, ...statuses: ReadonlyArray<number>): void => {
  notLimited(answer)
  if (!statuses.includes(answer.status)) {
    const code = codeOf(answer)
    throw violation(
      answer,
      `answered ${answer.status}${code === undefined ? "" : ` ${code}`}; it must be ${statuses.join(" or ")}`,
      { status: statuses.length === 1 ? statuses[0] : statuses }
    )
  }
}

export const jsonOf = (answer: Answer): unknown => {
  try {
    return JSON.parse(answer.text) as unknown
  } catch {
    throw violation(answer, "the body is not JSON")
  }
}

export const codeOf = ({ text }: Answer): string | undefined => {
  try {
    const { code } = (JSON.parse(text) ?? {}) as { readonly code?: unknown }
    return typeof code === "string" ? code : undefined
  } catch {
    return undefined
  }
}

const ajv = new Ajv2020({ strict: false })
let schemasRead = false
/** Reads the body as a schema of `spec/schemas`, and returns it. */
export const fits = <A>(answer: Answer, schema: string): A => {
  if (!schemasRead) {
    const folder = join(dataFolder, "schemas")
    for (const name of readdirSync(folder))
      if (name.endsWith(".schema.json")) ajv.addSchema(JSON.parse(readFileSync(join(folder, name), "utf8")), name)
    schemasRead = true
  }
  const value = jsonOf(answer)
  if (ajv.validate(`${schema}.schema.json`, value)) return value as A
  const { instancePath, message } = ajv.errors?.[0] ?? {}
  throw violation(
    answer,
    `the body does not fit spec/schemas/${schema}.schema.json: ${instancePath === "" ? "it" : instancePath} ${message}`
  )
}

/** Code and status, from the table of the specification. */
const statuses = (): ReadonlyMap<string, number> => {
  const text = readFileSync(join(dataFolder, "errors.md"), "utf8")
  return new Map(
    [...text.matchAll(/^\| `(\w+)` +\| (\d{3}) +\|/gm)].map(([, code = "", status]) => [code, Number(status)])
  )
}
let table: ReadonlyMap<string, number> | undefined

/** The answer is a problem document as KEZ-ERR-001 has it. */
export const isProblem = (
  answer: Answer
): { readonly code: string; readonly detail: string; readonly head?: unknown } => {
  notLimited(answer)
  holds(answer, answer.status >= 400, `answered ${answer.status}; it must be refused`)
  const type = answer.headers.get("content-type") ?? "none"
  holds(
    answer,
    /^application\/problem\+json\s*(?:;|$)/i.test(type),
    `the media type of an error must be application/problem+json, not ${type}`
  )
  const problem = fits<{ code: string; detail?: unknown; status: number; title: unknown; type?: unknown }>(
    answer,
    "problem"
  )
  table ??= statuses()
  const { code, detail, status, title } = problem
  holds(answer, table.has(code), `${code} is not a code of the table`)
  holds(answer, table.get(code) === answer.status, `the status of ${code} is ${table.get(code)}, not ${answer.status}`)
  holds(answer, status === answer.status, `the member status says ${status}`)
  holds(answer, problem.type === `urn:kez:problem:${code}`, `type must be urn:kez:problem:${code}`)
  holds(answer, typeof title === "string" && title !== "", "title is missing")
  holds(answer, typeof detail === "string", "detail is missing")
  return problem as { code: string; detail: string; head?: unknown }
}

/** The answer refuses with one of these codes, and is a problem document. */
export const refuses = (answer: Answer, ...codes: ReadonlyArray<string>): void => {
  notLimited(answer)
  const code = codeOf(answer)
  if (answer.status < 400)
    throw violation(answer, `accepted with ${answer.status}; it must be refused with ${codes.join(" or ")}`, {
      code: codes
    })
  if (code === undefined || !codes.includes(code))
    throw violation(answer, `refused with ${code ?? answer.status}; the right code is ${codes.join(" or ")}`, {
      code: codes
    })
  isProblem(answer)
}

export const equals = (answer: Answer, actual: unknown, expected: unknown, what: string): void => {
  if (!isDeepStrictEqual(actual, expected))
    throw new Violation(`${answer.request}: ${what} is not what it must be`, expected, actual)
}

export const hasHeader = (answer: Answer, name: string, fitting: RegExp): void => {
  const value = answer.headers.get(name)
  holds(answer, value !== null && fitting.test(value), `the header ${name} is ${value === null ? "missing" : value}`)
}

/** Pages of every origin may read the answer. */
export const isOpen = (answer: Answer): void => hasHeader(answer, "access-control-allow-origin", /^\*$/)

/** Of answers to requests that race, exactly one is a success, and the others are refused with one of these codes. */
export const oneWins = (answers: ReadonlyArray<Answer>, ...codes: ReadonlyArray<string>): Answer => {
  for (const answer of answers) notLimited(answer)
  const won = answers.filter(({ status }) => status < 400)
  const first = answers[0]!
  if (won.length !== 1)
    throw violation(first, `${won.length} of ${answers.length} requests that race succeeded; it must be one`)
  for (const answer of answers) if (answer !== won[0]) refuses(answer, ...codes)
  return won[0]!
}
