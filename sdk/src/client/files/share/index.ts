/** What this account shares: encrypting and offering files, listing them in the manifest, and who may fetch them. */
import * as Layer from "effect/Layer"
import * as Manifests from "./Manifests.ts"
import * as OtherDevices from "./OtherDevices.ts"
import * as Publication from "./Publication.ts"
import * as Serving from "./Serving.ts"
import * as Shares from "./Shares.ts"

export { contentOf } from "./FileContent.ts"
export { Manifests } from "./Manifests.ts"
export { Serving } from "./Serving.ts"
export { Shares } from "./Shares.ts"
export { toShare } from "./ShareRows.ts"
export * as Versions from "./Versions.ts"

export const layer = Layer.mergeAll(Shares.layer, Serving.layer).pipe(
  Layer.provideMerge(Manifests.layer),
  Layer.provide(Publication.layer),
  Layer.provide(OtherDevices.layer)
)
