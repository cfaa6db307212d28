/** What the checks of servers need of an implementation: keys that sign, and four functions of bytes. */

/** An envelope as JSON; checks also send ones that are wrong. */
export interface Envelope {
  readonly kez: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly signature: { readonly alg: string; readonly key: string; readonly sig: string }
}

export interface Signer {
  /** 64 hexadecimal digits. */
  readonly hex: string
  /** `ed25519:<hex>`. */
  readonly primary: string
  /** The key in NATS's text form, `U...`. */
  readonly nkey: string
  /** 64 bytes over any bytes. */
  signBytes(bytes: Uint8Array): Uint8Array
  /** Signs any payload, also one that no client would; by the rule of the specification, or another of `rules`. */
  sign(kez: string, payload: Readonly<Record<string, unknown>>, rule?: string): Envelope
}

export type Link = readonly [name: string, prev: string]

export interface Signing {
  makeSigner(): Signer
  /** JCS. */
  canonical(value: unknown): string
  /** The envelope hash, `sha256:<hex>`. */
  hash(envelope: Envelope): string
  /** Names of the ways to sign that a server may expect, that of the specification first. */
  readonly rules: readonly [string, ...ReadonlyArray<string>]
  /** What `prev` may be after an envelope, each with what is hashed; that of the specification first. */
  links(envelope: Envelope): readonly [Link, ...ReadonlyArray<Link>]
  /** NATS's text form of any 32 bytes. */
  nkey(type: "user" | "account", key: Uint8Array): string
  /** 64 hexadecimal digits. */
  blake3(bytes: Uint8Array): string
}

/** The envelope with a signature of the right form that holds for nothing. */
export const forged = (envelope: Envelope): Envelope => ({
  ...envelope,
  signature: { ...envelope.signature, sig: `${envelope.signature.sig.slice(0, 64)}${"0".repeat(64)}` }
})
