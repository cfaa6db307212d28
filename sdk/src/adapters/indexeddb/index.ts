/** Storage of an account in a browser: a local store and a vault in IndexedDB, and a local store with sealed values. */
export * as IndexedDbLocalStore from "./IndexedDbLocalStore.ts"
export * as SealedLocalStore from "./SealedLocalStore.ts"
export * as WebVault from "./WebVault.ts"
