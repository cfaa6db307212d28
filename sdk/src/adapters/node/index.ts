export * as DiskBlobStore from "./DiskBlobStore.ts"
export * as FileVault from "./FileVault.ts"
export * as NodeCrypto from "./NodeCrypto.ts"
export * as Zstd from "./Zstd.ts"
