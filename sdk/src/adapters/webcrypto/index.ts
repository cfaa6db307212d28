export * as WebCrypto from "./WebCrypto.ts"
