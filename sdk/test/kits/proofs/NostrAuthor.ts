/** Somebody on nostr, who signs events (NIP-01, BIP-340). */
import { schnorr } from "@noble/curves/secp256k1.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { PrimaryKey } from "@kez-chat/sdk/protocol"

export const nostrAuthor = (fill: number) => {
  const secret = new Uint8Array(32).fill(fill)
  const x = schnorr.getPublicKey(secret)
  const pubkey = bytesToHex(x)
  return {
    npub: PrimaryKey.formatNostr(x).slice("nostr:".length),
    pubkey,
    event: (
      kind: number,
      content: string,
      { at = 1_780_000_000, tags = [] }: { at?: number; tags?: ReadonlyArray<ReadonlyArray<string>> } = {}
    ) => {
      const id = sha256(new TextEncoder().encode(JSON.stringify([0, pubkey, at, kind, tags, content])))
      const sig = bytesToHex(schnorr.sign(id, secret, new Uint8Array(32)))
      return { id: bytesToHex(id), pubkey, created_at: at, kind, tags, content, sig }
    }
  }
}
