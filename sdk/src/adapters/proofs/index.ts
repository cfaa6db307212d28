/** Proofs of other identities: what a browser can fetch, and what an adapter for another platform is made of. */
export type {
  Channel,
  Encoded,
  GetOptions,
  Page,
  Place,
  Reading,
  RelayAnswer,
  Tools,
  TxtAnswer
} from "../proofs-core/Channel.ts"
export { Unreachable } from "../proofs-core/Channel.ts"
export * as Fetcher from "../proofs-core/Fetcher.ts"
export * as HostPace from "../proofs-core/fetching/HostPace.ts"
export * as Target from "../proofs-core/fetching/Target.ts"
export * as Toolbox from "../proofs-core/fetching/Toolbox.ts"
export * as WebProofs from "./WebProofs.ts"
