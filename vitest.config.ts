import { defineConfig } from "vitest/config"

// Sources are tested, not builds: the `kez-source` condition resolves workspace imports to their TypeScript.
const conditions = ["kez-source", "module", "node", "development|production"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["*/test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
