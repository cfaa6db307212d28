import { assert, describe, it } from "vitest"
import { check, findViolations, importsOf } from "../tasks/floors/Floors.ts"

const exports = {
  ".": { "kez-source": "./src/index.ts" },
  "./protocol": { "kez-source": "./src/protocol/index.ts" },
  "./crypto": { "kez-source": "./src/crypto/index.ts" },
  "./noble": { "kez-source": "./src/adapters/noble/index.ts" },
  "./nats": { "kez-source": "./src/adapters/nats/index.ts" }
}

const violations = (files: Record<string, string>) => findViolations(new Map(Object.entries(files)), exports)

describe("import floors", () => {
  it("finds every form of import", () => {
    const text = `
      import type { A } from "type-only"
      import { type B, C } from "mixed"
      import "side-effect"
      export * as D from "./star.ts"
      export type { E } from "./type-export.ts"
      const f = await import("dynamic")
    `
    assert.deepEqual(importsOf("a.ts", text), [
      { specifier: "type-only", typeOnly: true },
      { specifier: "mixed", typeOnly: false },
      { specifier: "side-effect", typeOnly: false },
      { specifier: "./star.ts", typeOnly: false },
      { specifier: "./type-export.ts", typeOnly: true },
      { specifier: "dynamic", typeOnly: false }
    ])
  })

  it("accepts imports that point down", () => {
    assert.deepEqual(
      violations({
        "sdk/src/protocol/sigchain/Envelope.ts": `import * as Result from "effect/Result"; import { a } from "./Json.ts"`,
        "sdk/src/crypto/Identity.ts": `import { Crypto } from "../services/Crypto.ts"; import * as Effect from "effect/Effect"`,
        "sdk/src/adapters/nats/index.ts": `import "../nats-core/Link.ts"; import "@nats-io/transport-node"`,
        "sdk/src/node.ts": `import "./adapters/node/index.ts"; import "./client/KezChat.ts"`,
        "reference-cli/src/main.ts": `import "@kez-chat/sdk/protocol"; import "./Profile.ts"; import "@kez-chat/sdk"`
      }),
      []
    )
  })

  it.each([
    ["upward", "sdk/src/services/Broker.ts", `import "../client/KezChat.ts"`, "services may not import client"],
    [
      "upward by type",
      "sdk/src/protocol/broker/Page.ts",
      `import type { A } from "../../services/A.ts"`,
      "protocol may not"
    ],
    [
      "client to adapter",
      "sdk/src/client/A.ts",
      `import "../adapters/sqlite/index.ts"`,
      "client may not import adapters"
    ],
    [
      "adapter to client",
      "sdk/src/adapters/sqlite/A.ts",
      `import "../../client/A.ts"`,
      "adapters may not import client"
    ],
    ["sideways", "sdk/src/adapters/http/A.ts", `import "../node/index.ts"`, "adapters do not import each other"],
    [
      "a stranger to a shared core",
      "sdk/src/adapters/http/A.ts",
      `import "../nats-core/A.ts"`,
      "do not import each other"
    ],
    ["an effect in protocol", "sdk/src/protocol/A.ts", `import "effect/Effect"`, "protocol is pure"],
    ["node in protocol", "sdk/src/protocol/A.ts", `import { createHash } from "node:crypto"`, "protocol is pure"],
    ["the barrel", "sdk/src/client/A.ts", `import { Effect } from "effect"`, "by deep path"],
    [
      "the barrel in an app",
      "reference-server/src/A.ts",
      `import { NodeHttpServer } from "@effect/platform-node"`,
      "deep path"
    ],
    ["a private entry", "reference-cli/src/A.ts", `import "@kez-chat/sdk/src/client/KezChat.ts"`, "no public entry"],
    ["another package's file", "reference-cli/src/A.ts", `import "../../sdk/src/index.ts"`, "leaves the package"],
    ["an app", "reference-server/src/A.ts", `import "@kez-chat/cli"`, "no package imports an app"],
    ["an unknown room", "sdk/src/utils/A.ts", ``, `no room "utils"`],
    ["out of the SDK", "sdk/src/client/A.ts", `import "../../test/A.ts"`, "leaves sdk/src"]
  ])("refuses %s", (_name, path, text, expected) => {
    const found = violations({ [path]: text })
    assert.strictEqual(found.length, 1, found.join("\n"))
    assert.include(found[0], expected)
    assert.include(found[0], path)
  })

  it("follows a browser entry to what needs Node, and names the way there", () => {
    const found = violations({
      "sdk/src/adapters/noble/index.ts": `export * from "./Deep.ts"`,
      "sdk/src/adapters/noble/Deep.ts": `export const a = () => import("node:fs")`
    })
    assert.deepEqual(found, [
      "@kez-chat/sdk/noble is for browsers too and reaches node:fs through sdk/src/adapters/noble/index.ts -> sdk/src/adapters/noble/Deep.ts"
    ])
  })

  it("does not follow types, and leaves Node's own entries alone", () => {
    assert.deepEqual(
      violations({
        "sdk/src/adapters/noble/index.ts": `import type { Buffer } from "node:buffer"`,
        "sdk/src/adapters/nats/index.ts": `import "node:net"`
      }),
      []
    )
  })

  it("keeps the broker out of the identity entries", () => {
    const [found] = violations({ "sdk/src/crypto/index.ts": `import "@nats-io/nats-core"` })
    assert.include(found, "is for identity alone")
  })

  it("holds for the repository", () => {
    const { violations: found, count } = check()
    assert.deepEqual(found, [])
    assert.isAbove(count, 50)
  })
})
