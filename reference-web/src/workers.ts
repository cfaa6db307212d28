/** The page's workers. Their addresses pass a Trusted Types policy that admits files of this page alone. */
// oxlint-disable-next-line import/default -- Vite gives the address of the built worker.
import accountUrl from "./worker/account.ts?worker&url"

interface Policy {
  createScriptURL(address: string): string
}

interface TrustedTypes {
  createPolicy(name: string, rules: Policy): Policy
}

const ownAddress = (address: string): string => {
  const url = new URL(address, document.baseURI)
  if (url.origin !== location.origin) throw new TypeError(`${url.origin} has no scripts for this page`)
  return url.href
}

const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes }
/** Where the browser has no Trusted Types, the rule applies all the same. */
const policy = trustedTypes?.createPolicy("kez-chat", { createScriptURL: ownAddress }) ?? {
  createScriptURL: ownAddress
}

/** Outlives the reload of the only tab, where the browser can. */
interface SharedOptions extends WorkerOptions {
  readonly extendedLifetime: boolean
}

export const workers = {
  shared: (): SharedWorker => {
    const options: SharedOptions = { type: "module", name: "kez-chat", extendedLifetime: true }
    return new SharedWorker(policy.createScriptURL(accountUrl), options)
  },
  dedicated: (): Worker => new Worker(policy.createScriptURL(accountUrl), { type: "module" })
}

/** Lets the page open without a network; a browser that refuses works as before. */
export const registerServiceWorker = async (): Promise<void> => {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return
  await navigator.serviceWorker.register(policy.createScriptURL("./service-worker.js")).catch(() => undefined)
}
