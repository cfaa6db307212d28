/**
 * The HTTP contracts of the two servers. Their types use Effect's `HttpApi`, which is not stable yet; until it is, this
 * entry is outside the package's semver.
 */
export { ChatServerApi } from "./ChatServerApi.ts"
export * as ProblemBody from "./ProblemBody.ts"
export { SigServerApi } from "./SigServerApi.ts"
export * as Wire from "./Wire.ts"
