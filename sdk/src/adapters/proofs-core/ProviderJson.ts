/**
 * JSON of providers, which is neither signed nor strict: a value of another form than expected is as one left out. What
 * every answer has, such as the list that is read, has to be there: a provider that changed its layout says nothing.
 */
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

/** A part that every answer has, or `Unreachable`. */
export const expected = <A>({ url }: Page, part: A | undefined): Effect.Effect<A, Unreachable> =>
  part === undefined
    ? Effect.fail(new Unreachable({ reason: "network", detail: `${url} answers in a form that is not known` }))
    : Effect.succeed(part)

/** A list; undefined for anything else. */
export const array = (value: Value): ReadonlyArray<Value> | undefined =>
  Array.isArray(value) ? (value as ReadonlyArray<Value>) : undefined

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
