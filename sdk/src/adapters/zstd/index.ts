export * as Zstd from "./Zstd.ts"
