/** Every vector of the specification, on every cryptographic backend. */
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit } from "effect"
import type { Json } from "../../src/protocol/encoding/Json.ts"
import { backends } from "../kits/Backends.ts"
import { operations } from "./Operations.ts"

interface VectorFile {
  readonly operation: string
  readonly kind: "valid" | "invalid"
  readonly cases: ReadonlyArray<{
    readonly id: string
    readonly why: string
    readonly input: Readonly<Record<string, Json>>
    readonly result?: Json
    readonly error?: string
    readonly errorAnyOf?: ReadonlyArray<string>
  }>
}

const folder = path.resolve(import.meta.dirname, "../../../spec/vectors")
const files = fs
  .readdirSync(folder, { recursive: true, encoding: "utf8" })
  // Whole inboxes need a client: Inbox.test.ts.
  .filter((name) => name.endsWith(".json") && !name.endsWith("inbox.valid.json"))
  .sort()

describe.each(Object.entries(backends))("vectors on %s", (_, cryptoLayer) =>
  layer(cryptoLayer)((it) => {
    it.effect.each(files)("%s", (name) =>
      Effect.gen(function* () {
        const file = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as VectorFile
        const operation = operations[file.operation]
        if (operation === undefined) throw new Error(`no operation ${file.operation}`)
        for (const { error, errorAnyOf, id, input, result, why } of file.cases) {
          const label = `${name}#${id}: ${why}`
          const exit = yield* Effect.exit(operation(input))
          if (file.kind === "valid") {
            const actual = Exit.isSuccess(exit)
              ? (JSON.parse(JSON.stringify(exit.value)) as unknown)
              : String(exit.cause)
            assert.deepStrictEqual(actual, result, label)
          } else {
            const failure = Exit.findError(exit)
            const code =
              "success" in failure
                ? (failure.success as { readonly code?: string }).code
                : `no failure: ${String(exit)}`
            assert.include(errorAnyOf ?? [error], code, label)
          }
        }
      })
    )
  })
)
