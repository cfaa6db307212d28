/**
 * The HTTP contracts of the two servers. Types here mention Effect's `HttpApi`, which is not stable yet: this entry is
 * outside this package's semver until it is.
 */
export { ChatServerApi } from "./ChatServerApi.ts"
export * as ProblemBody from "./ProblemBody.ts"
export { SigServerApi } from "./SigServerApi.ts"
export * as Wire from "./Wire.ts"
