import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { playwright } from "@vitest/browser-playwright"
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config"

// Sources are tested, not builds: the `kez-source` condition resolves workspace imports to their TypeScript.
const conditions = ["kez-source", "module", "node", "development|production"]

const sources = {
  resolve: { conditions },
  ssr: { resolve: { conditions } }
}

const slow = "*/test/slow/**/*.test.ts"
/** Slow tests that kill servers in mid-stream, run a cluster, flood a server, fill a disk, or move gigabytes. */
const alone = [
  "reference-server/test/slow/**/*.test.ts",
  "reference-cli/test/slow/{Disk,Transfers}.test.ts",
  "reference-web/test/slow/Restore.test.ts"
]
/** Tests without processes and without state of a module: they share workers, which halves their processor time. */
const shared = "sdk/test/{protocol,crypto,client,doubles,port,promise}/**/*.test.ts"
/** Beside the components of the page, and named so elsewhere. */
const browser = ["*/test/**/*.browser.test.ts", "reference-web/src/**/*.test.ts"]

const chromium = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"]
  .map((folder) => join(folder, "chromium"))
  .find((path) => existsSync(path))

/** Tests that run in a page; left out where there is no Chromium. */
const inChromium = (): Array<TestProjectInlineConfiguration> => {
  if (chromium === undefined) {
    const missing = "Tests in a browser need Chromium: apt-get install chromium"
    if (process.env["KEZ_NO_SKIP"] === "1") throw new Error(missing)
    // Vitest loads this file once for each project.
    if (process.env["KEZ_NO_CHROMIUM"] === undefined) process.stderr.write(`${missing}\n`)
    process.env["KEZ_NO_CHROMIUM"] = "1"
    return []
  }
  return [
    {
      resolve: { conditions: ["kez-source", "module", "browser", "development|production"] },
      test: {
        name: "browser",
        include: browser,
        testTimeout: 60_000,
        hookTimeout: 120_000,
        sequence: { groupOrder: 0 },
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          // On a busy machine Chromium takes a while to start.
          connectTimeout: 180_000,
          provider: playwright({
            launchOptions: { executablePath: chromium, args: ["--no-sandbox", "--disable-background-networking"] }
          }),
          instances: [{ browser: "chromium" }]
        }
      }
    }
  ]
}

export default defineConfig({
  test: {
    // Two cores are the machine this is tuned for: most of what runs here waits for a server, not for a core.
    maxWorkers: 3,
    projects: [
      {
        ...sources,
        test: {
          name: "shared",
          include: [shared],
          isolate: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        ...sources,
        test: {
          name: "fast",
          include: ["*/test/**/*.test.ts"],
          exclude: [slow, shared, ...browser],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        ...sources,
        test: {
          name: "slow",
          include: [slow],
          exclude: [...alone, ...browser],
          // Whole programs and browsers: two files at a time is what two cores can do.
          maxWorkers: 2,
          testTimeout: 600_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 }
        }
      },
      {
        ...sources,
        test: {
          name: "slow-alone",
          include: alone,
          // These want the machine for themselves.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 }
        }
      },
      ...inChromium()
    ]
  }
})
