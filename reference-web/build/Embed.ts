import { build, type Plugin, type ResolvedConfig } from "vite"
import { literals } from "./Literals.ts"

/**
 * Builds `embed.js` after the page, as one file of its own: shared chunks would split the page's. It opens the page's
 * worker, so both hold one account.
 */
export const embed = (nested: () => Plugin): Plugin => {
  let page: ResolvedConfig
  return {
    name: "kez-embed",
    apply: "build",
    configResolved: (config) => void (page = config),
    writeBundle: {
      order: "post",
      sequential: true,
      async handler(_, bundle) {
        const worker = Object.keys(bundle).find((name) => name.startsWith("assets/account-"))
        if (worker === undefined) throw new Error("the build has no account worker")
        await build({
          configFile: false,
          root: page.root,
          base: "./",
          publicDir: false,
          logLevel: "error",
          define: page.define ?? {},
          resolve: { conditions: page.resolve.conditions },
          build: {
            target: page.build.target,
            outDir: page.build.outDir,
            emptyOutDir: false,
            modulePreload: false,
            rolldownOptions: {
              input: { embed: "src/embed.ts" },
              preserveEntrySignatures: "exports-only",
              output: { entryFileNames: "[name].js", codeSplitting: false }
            }
          },
          plugins: [builtWorker(worker), literals(), nested()]
        })
      }
    }
  }
}

/** Takes the place of the worker that is built already. */
const builtWorker = (file: string): Plugin => ({
  name: "kez-built-worker",
  enforce: "pre",
  resolveId: (id) => (id.endsWith("/account.ts?worker&url") ? "\0account-worker" : undefined),
  load: (id) =>
    id === "\0account-worker"
      ? `const here = import.meta.url; export default new URL(${JSON.stringify(file)}, here).href`
      : undefined
})
