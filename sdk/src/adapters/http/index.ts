/** The adapters that ask servers over HTTP, in Node and in browsers. */
export * as HttpDirectory from "./HttpDirectory.ts"
export * as HttpHomes from "./HttpHomes.ts"
export * as HttpManifestStore from "./HttpManifestStore.ts"
export * as HttpSigchainStore from "./HttpSigchainStore.ts"
