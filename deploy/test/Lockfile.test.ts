import { assert, describe, it } from "vitest"
import { lockfileViolations } from "../tasks/checks/Lockfile.ts"

describe("the lock file check", () => {
  it("refuses registries and missing hashes", () => {
    const packages = {
      "": { version: "0.0.0" },
      sdk: { version: "0.0.0" },
      "node_modules/@kez-chat/sdk": { resolved: "sdk", link: true },
      "node_modules/good": { version: "1.0.0", integrity: "sha512-a" },
      "node_modules/bound": {
        version: "1.0.0",
        integrity: "sha512-a",
        resolved: "https://registry.test/bound/-/bound-1.0.0.tgz"
      },
      "node_modules/bare": { version: "1.0.0" }
    }
    assert.deepEqual(lockfileViolations({ packages }), [
      "node_modules/bound is bound to registry.test: run npm install with the repository's .npmrc",
      "node_modules/bare has no integrity hash"
    ])
  })
})
