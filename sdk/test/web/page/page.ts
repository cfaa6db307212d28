/** The page of the tests: an account and nothing to see. `?dedicated` does without a SharedWorker. */
import { openAccount } from "@kez-chat/sdk/web-page"

declare const BUILD: string

const shared = () =>
  new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", extendedLifetime: true } as WorkerOptions)
const dedicated = () => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })
  Object.assign(globalThis, { worker })
  return worker
}

const account = await openAccount({ build: BUILD, dedicated, ...(location.search === "?dedicated" ? {} : { shared }) })
Object.assign(globalThis, { account })
