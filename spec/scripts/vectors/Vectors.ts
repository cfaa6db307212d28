/** The shape of a vector file. */
import type { Json } from "./Protocol.ts"

export interface Case {
  /** Unique in its file, never renamed. */
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  /** What the case is there for. */
  readonly why: string
  readonly input: Json
}
export interface ValidCase extends Case {
  readonly result: Json
}
export interface InvalidCase extends Case {
  /** The one code it must fail with. */
  readonly error?: string
  /** Where the order of checks is free. */
  readonly errorAnyOf?: ReadonlyArray<string>
}

/** Cases of one operation: a name for what an implementation does with `input`. */
export interface Operation {
  /** File name without extension, relative to `spec/vectors`. */
  readonly file: string
  readonly operation: string
  /** What goes in and what comes out. */
  readonly description: string
  readonly valid?: ReadonlyArray<ValidCase>
  readonly invalid?: ReadonlyArray<InvalidCase>
}

export const valid = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  input: Json,
  result: Json
): ValidCase => ({ id, requirements, why, input, result })

export const invalid = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  input: Json,
  error: string | ReadonlyArray<string>
): InvalidCase => ({
  id,
  requirements,
  why,
  input,
  ...(typeof error === "string" ? { error } : { errorAnyOf: error })
})
