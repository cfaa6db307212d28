import { defineConfig } from "vite"
import { compress } from "./build/Compress.ts"
import { embed } from "./build/Embed.ts"
import { literals } from "./build/Literals.ts"
import { noKeys } from "./build/NoKeys.ts"
import { ownFiles } from "./build/OwnFiles.ts"
import { packages } from "./build/Packages.ts"
import { precache } from "./build/Precache.ts"

/**
 * Orders builds: of two that are open in one browser, the one with the larger number holds the account. Set
 * SOURCE_DATE_EPOCH (seconds) for a reproducible build.
 */
const builtAt = Number(process.env["SOURCE_DATE_EPOCH"] ?? Math.floor(Date.now() / 1000))

/** The home server that `npm run dev` shows. */
const home = process.env["KEZ_HOME"] ?? "http://127.0.0.1:8080"

const { collect, write } = packages()

export default defineConfig({
  // Hash routes and relative addresses: the page works under any path.
  base: "./",
  define: { BUILD_TIME: JSON.stringify(String(builtAt)) },
  resolve: { conditions: ["kez-source", "browser", "module", "import", "default"] },
  server: { port: 5173, strictPort: true, proxy: { "/v1": home, "/.well-known": home } },
  build: {
    target: ["chrome120", "firefox128", "safari17"],
    // The graph of the entries, by which the sizes are checked.
    manifest: true,
    modulePreload: { polyfill: false },
    // The CSP admits no inline code, and small files as data: addresses would be inline.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: "index.html", "service-worker": "src/service-worker.ts" },
      output: {
        entryFileNames: ({ name }) => (name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js"),
        // Few scripts, since large ones compress better: what starts the page, what is shown without an account, among it
        // what both parts use, and the rest.
        codeSplitting: {
          groups: [{ name: "page", tags: ["$initial"], test: (id) => !id.endsWith("service-worker.ts") }]
        }
      }
    }
  },
  // The home server knows the account worker by this name, and gives it a policy of its own.
  worker: {
    format: "es",
    plugins: () => [noKeys(), collect()],
    rolldownOptions: { output: { entryFileNames: "assets/[name]-[hash].js" } }
  },
  plugins: [ownFiles(), literals(), collect(), precache(), embed(collect), compress(), write()]
})
