/** JSON of providers, which is neither signed nor strict: a value of another form than expected is as one left out. */
import * as Effect from "effect/Effect"
import { type Page, Unreachable } from "./Channel.ts"
import { textOf } from "./ProofText.ts"

export type Value = unknown

/** The JSON of a page, or `Unreachable`: an answer in another format says nothing about the proof. */
export const parse = (page: Page): Effect.Effect<Value, Unreachable> =>
  Effect.try({
    try: () => JSON.parse(textOf(page.body)) as Value,
    catch: (cause) => new Unreachable({ reason: "network", detail: `${page.url} answers without JSON`, cause })
  })

/** A member of an object; undefined for anything else. */
export const member = (value: Value, name: string): Value =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, Value>>)[name]
    : undefined

/** A text at a path of members. */
export const text = (value: Value, ...path: ReadonlyArray<string>): string | undefined => {
  const found = path.reduce(member, value)
  return typeof found === "string" ? found : undefined
}

/** The entries of a list at a path of members; a single value stands for a list of one, as in JSON-LD. */
export const list = (value: Value, ...path: ReadonlyArray<string>): ReadonlyArray<Value> => {
  const found = path.reduce(member, value)
  return Array.isArray(found) ? (found as ReadonlyArray<Value>) : found === undefined || found === null ? [] : [found]
}
