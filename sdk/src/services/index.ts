/** What the client needs from the world: one interface a service, with the errors that it can give. */
export * from "./AdapterUnavailable.ts"
export * from "./Broker.ts"
export * from "./Crypto.ts"
export * from "./Directory.ts"
export * from "./LocalStore.ts"
export * from "./SigchainStore.ts"
export * from "./Vault.ts"
