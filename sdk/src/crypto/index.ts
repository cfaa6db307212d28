/** What the protocol does with keys: sign, verify, seal and open. Each needs only the `Crypto` service. */
export * as FastBlake3 from "./FastBlake3.ts"
export * as Hpke from "./Hpke.ts"
export * as Identity from "./Identity.ts"
export * as SafetyNumber from "./SafetyNumber.ts"
export * as SealedMessage from "./SealedMessage.ts"
export * as SignedEnvelope from "./SignedEnvelope.ts"
export * as VerifiedChain from "./VerifiedChain.ts"
export * as VerifiedRecord from "./VerifiedRecord.ts"
