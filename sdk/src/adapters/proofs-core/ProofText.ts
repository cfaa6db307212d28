/** Finds what may be a proof in the texts that services keep, some of which change what was published. */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Hash from "../../protocol/encoding/Hash.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { FoundProof } from "../../services/ProofFetcher.ts"

const compact = /kez:z1:[A-Za-z0-9_-]+/g
const fence = /^```kez[ \t]*\r?$/m

/**
 * The candidates of a text among others, such as a profile or a post: the text itself if it is JSON or has a fence,
 * otherwise each compact form in it. None for a text that cannot hold a proof.
 */
export const inText = (text: string): ReadonlyArray<string> => {
  if (text.length > Limits.proofTextCharacters) return []
  const trimmed = text.trim()
  if (trimmed.startsWith("{")) return [trimmed]
  if (fence.test(text)) return [text]
  return [...new Set(text.match(compact))]
}

/** The candidates of a file that is there for a proof: {@link inText}, otherwise the whole text, so that the reader can
 * say what is wrong with it. */
export const inFile = (text: string): ReadonlyArray<string> => {
  const found = inText(text)
  if (found.length > 0 || text.trim() === "") return found
  return [text.slice(0, Limits.proofTextCharacters)]
}

/** The candidates of a TXT record. Providers put quotes, blanks and backslashes between or into its strings. */
export const inTxt = (strings: ReadonlyArray<string>): ReadonlyArray<string> => {
  const joined = strings.join("")
  const at = joined.indexOf("kez:z1:")
  return at < 0 ? inText(joined) : [joined.slice(at).replaceAll(/["\s\\]/g, "")]
}

const decoder = new TextDecoder()

/** UTF-8; bytes that are none are replaced. */
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

/** `sha256:<hex>` of what was fetched. */
export const digestOf = (bytes: Uint8Array): string => Hash.format("sha256", sha256(bytes))

/** Candidates of one answer. */
export const found = (
  answer: { readonly url: string; readonly fetchedAt: number; readonly body: Uint8Array },
  texts: ReadonlyArray<string>
): ReadonlyArray<FoundProof> => {
  if (texts.length === 0) return []
  const { body, fetchedAt, url } = answer
  const digest = digestOf(body)
  return [...new Set(texts)].map((text) => ({ url, fetchedAt, digest, text }))
}
