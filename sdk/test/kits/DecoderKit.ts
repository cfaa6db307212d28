/** What every decoder does with every input: it answers, and a refusal is a `Problem` of the closed list. */
import { Result } from "effect"
import * as fc from "fast-check"
import { assert } from "vitest"
import { codes, Problem } from "../../src/protocol/Problem.ts"

type Decode<A> = (input: A) => Result.Result<unknown, Problem>

/** Fails unless the decoder answers with a success or with a well-formed problem. */
export const answers = <A>(decode: Decode<A>, input: A): void => {
  const decoded = decode(input)
  if (Result.isSuccess(decoded)) return
  assert.instanceOf(decoded.failure, Problem)
  assert.property(codes, decoded.failure.code)
  assert.isAbove(decoded.failure.detail.length, 0)
  assert.isBelow(decoded.failure.message.length, 400)
}

/** Texts near a valid one: characters of it, or strange ones, put in, taken out and put in place of others. */
export const nearTexts = (valid: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      valid,
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          cut: fc.nat(3),
          put: fc.oneof(
            fc.string({ unit: "binary", maxLength: 2 }),
            fc.constantFrom(
              "",
              "0",
              "-",
              "_",
              "A",
              "a",
              "@",
              ":",
              ".",
              "=",
              " ",
              "\n",
              "\0",
              "\ud800",
              "\u00e9",
              '"',
              "{",
              "]"
            )
          )
        }),
        { minLength: 1, maxLength: 3 }
      )
    )
    .map(([text, edits]) =>
      edits.reduce((now, { at, cut, put }) => {
        const index = Math.floor(at * (now.length + 1))
        return now.slice(0, index) + put + now.slice(index + cut)
      }, text)
    )

/** Byte strings near a valid one. */
export const nearBytes = (valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      valid,
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          cut: fc.nat(3),
          put: fc.uint8Array({ maxLength: 3 })
        }),
        { minLength: 1, maxLength: 3 }
      )
    )
    .map(([bytes, edits]) =>
      edits.reduce((now, { at, cut, put }) => {
        const index = Math.floor(at * (now.length + 1))
        return Uint8Array.of(...now.subarray(0, index), ...put, ...now.subarray(index + cut))
      }, bytes)
    )

/** Feeds a text decoder arbitrary texts and texts near valid ones. */
export const fuzzText = (decode: Decode<string>, valid: fc.Arbitrary<string>, numRuns = 500): void =>
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), nearTexts(valid)), (text) => answers(decode, text)),
    { numRuns }
  )

/** Feeds a byte decoder arbitrary bytes and bytes near valid ones. */
export const fuzzBytes = (decode: Decode<Uint8Array>, valid: fc.Arbitrary<Uint8Array>, numRuns = 500): void =>
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), nearBytes(valid)), (bytes) => answers(decode, bytes)),
    { numRuns }
  )

/** The code a decoder refuses with. */
export const codeOf = (decoded: Result.Result<unknown, Problem>): string =>
  Result.isFailure(decoded) ? decoded.failure.code : "accepted"
