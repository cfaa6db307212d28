/** The HTTP contracts of both servers; outside the package's semver until Effect's `HttpApi` is stable. */
export { ChatServerApi } from "./ChatServerApi.ts"
export * as ProblemBody from "./ProblemBody.ts"
export { SigServerApi } from "./SigServerApi.ts"
export * as Wire from "./Wire.ts"
