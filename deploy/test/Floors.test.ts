import { assert, describe, it } from "vitest"
import { checkFloors, findViolations } from "../tasks/checks/Floors.ts"
import { importsOf } from "../tasks/checks/Imports.ts"

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
        "sdk/src/node/index.ts": `import "../adapters/node/index.ts"; import "../client/KezChat.ts"`,
        "sdk/src/web/index.ts": `import "../adapters/http/index.ts"; import "../promise/index.ts"`,
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
      "sdk/src/client/contacts/A.ts",
      `import "../../adapters/sqlite/index.ts"`,
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

  it("accepts imports between rooms of the client that point down and through an index", () => {
    assert.deepEqual(
      violations({
        "sdk/src/client/KezChat.ts": `import "./messaging/index.ts"; import "./account/index.ts"; import "./model/A.ts"`,
        "sdk/src/client/messaging/A.ts": `import "../files/share/index.ts"; import "./B.ts"; import "../internal/Rows.ts"`,
        "sdk/src/client/files/fetch/A.ts": `import "../share/index.ts"; import "../../contacts/index.ts"`,
        "sdk/src/client/internal/A.ts": `import "../model/Message.ts"; import "../../crypto/Identity.ts"`,
        "sdk/src/client/internal/rows/A.ts": `import "../../model/Message.ts"; import "../Ledger.ts"`,
        "sdk/src/client/model/A.ts": `import "../../protocol/identity/Handle.ts"; import "./B.ts"; import "../../services/Vault.ts"`
      }),
      []
    )
  })

  it.each([
    [
      "upward",
      "messaging/A.ts",
      `import type { A } from "../account/index.ts"`,
      "messaging may not import client/account"
    ],
    ["to the top", "contacts/A.ts", `import type { A } from "../KezChat.ts"`, "contacts may not import client/KezChat"],
    [
      "between the rooms of files",
      "files/share/A.ts",
      `import "../fetch/index.ts"`,
      "files/share may not import client/files/fetch"
    ],
    ["past the index", "messaging/A.ts", `import "../contacts/Trust.ts"`, "client/contacts through its index.ts"],
    ["past the index at the top", "KezChat.ts", `import "./contacts/Trust.ts"`, "client/contacts through its index.ts"],
    [
      "internal to a use case",
      "internal/A.ts",
      `import "../contacts/index.ts"`,
      "internal may not import client/contacts"
    ],
    ["model to a room", "model/A.ts", `import "../internal/A.ts"`, "model may not import client/internal"],
    ["model to an operation", "model/A.ts", `import "../../crypto/Hpke.ts"`, "client/model may not import crypto"],
    ["an unknown room", "utils/A.ts", ``, `no room "utils"`],
    ["a room without a name of its own", "files/A.ts", ``, `no room "files"`]
  ])("refuses between rooms of the client: %s", (_name, file, text, expected) => {
    const path = `sdk/src/client/${file}`
    const found = violations({ [path]: text })
    assert.strictEqual(found.length, 1, found.join("\n"))
    assert.include(found[0], expected)
    assert.include(found[0], path)
  })

  it("follows a browser entry to a module that needs Node, and names the chain", () => {
    const found = violations({
      "sdk/src/adapters/noble/index.ts": `export * from "./Deep.ts"`,
      "sdk/src/adapters/noble/Deep.ts": `export const a = () => import("node:fs")`
    })
    assert.deepEqual(found, [
      "@kez-chat/sdk/noble is for browsers too and reaches node:fs through sdk/src/adapters/noble/index.ts -> sdk/src/adapters/noble/Deep.ts"
    ])
  })

  it("ignores type imports, and entries that are for Node", () => {
    assert.deepEqual(
      violations({
        "sdk/src/adapters/noble/index.ts": `import type { Buffer } from "node:buffer"`,
        "sdk/src/adapters/nats/index.ts": `import "node:net"`
      }),
      []
    )
  })

  it("refuses a transport in the identity entries", () => {
    const [found] = violations({ "sdk/src/crypto/index.ts": `import "@nats-io/nats-core"` })
    assert.include(found, "is for identity alone")
  })

  it("holds for the repository", () => {
    assert.deepEqual(checkFloors(), [])
  })
})
