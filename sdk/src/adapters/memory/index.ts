/** In-memory stores and network. */
export * as MemoryBlobStore from "./MemoryBlobStore.ts"
export * as MemoryBlobTransport from "./MemoryBlobTransport.ts"
export * as MemoryLocalStore from "./MemoryLocalStore.ts"
export * as MemoryVault from "./MemoryVault.ts"
