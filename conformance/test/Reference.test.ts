/** Every vector of the specification, answered by the SDK on each of its cryptographic backends. */
import { NobleCrypto } from "@kez-chat/sdk/noble"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { WebCrypto } from "@kez-chat/sdk/webcrypto"
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { answer } from "../src/reference/Answer.ts"
import type { Input } from "../src/reference/CaseInput.ts"
import { vectorChecks } from "../src/suite/Checks.ts"
import { judge } from "../src/vectors/Run.ts"

const checks = vectorChecks()
const files = [...new Set(checks.map(({ id }) => id.split("#")[0]!))]
const backends = { node: NodeCrypto.layer, webcrypto: WebCrypto.layer, noble: NobleCrypto.layer }

describe.each(Object.entries(backends))("vectors on %s", (_, cryptoLayer) =>
  layer(cryptoLayer)((it) => {
    it.effect.each(files)("%s", (name) =>
      Effect.gen(function* () {
        for (const check of checks.filter(({ id }) => id.startsWith(`${name}#`))) {
          const response = yield* answer(check.operation, check.case.input as Input)
          const judged = judge(check, JSON.parse(JSON.stringify({ seq: 0, ...response })))
          assert.deepStrictEqual(judged, { ...judged, verdict: "pass" })
        }
      })
    )
  })
)
