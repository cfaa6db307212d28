export * as NobleCrypto from "./NobleCrypto.ts"
