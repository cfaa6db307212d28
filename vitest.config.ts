import { defineConfig } from "vitest/config"

// Sources are tested, not builds: the `kez-source` condition resolves workspace imports to their TypeScript.
const conditions = ["kez-source", "module", "node", "development|production"]

const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions } }
}

const slow = "*/test/slow/**/*.test.ts"

export default defineConfig({
  test: {
    // Two cores are the machine this is tuned for: most of what runs here waits for a server, not for a core.
    maxWorkers: 3,
    projects: [
      {
        ...shared,
        test: {
          name: "fast",
          include: ["*/test/**/*.test.ts"],
          exclude: [slow],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        ...shared,
        test: {
          name: "slow",
          include: [slow],
          // One at a time: these kill servers in mid-stream or run a cluster, and want the machine for themselves.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
