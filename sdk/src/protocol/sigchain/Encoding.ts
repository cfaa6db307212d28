/**
 * Encodings of envelopes outside the protocol's own channels (spec: encodings): JSON, compact text, Markdown, DNS TXT
 * records, and bundles of whole chains. Decoders check form, not signatures.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Envelope from "./Envelope.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"
import * as ZstdFrame from "./ZstdFrame.ts"

/** Writes one Zstandard frame: `Zstd.compress` of `@kez-chat/sdk/node`. Without one, frames are uncompressed. */
export type Compress = (content: Uint8Array) => Uint8Array

/**
 * Decompresses one Zstandard frame to at most `maxBytes`: `Zstd.decompress` of `@kez-chat/sdk/node`, or of
 * `@kez-chat/sdk/zstd` in browsers. Fails with `too_large` or `encoding_malformed`.
 */
export type Decompress = (frame: Uint8Array, maxBytes: number) => Result.Result<Uint8Array, Problem>

const compactPrefix = "kez:z1:"
const bundlePrefix = "kez:zc1:"
const fenceOpen = /^```kez[ \t]*$/m
const fenceClose = /^```[ \t]*$/m
/** Maximum characters of a compact text: base64url of the largest incompressible proof plus frame overhead. */
const maxCompact = Math.ceil((Limits.proofBytes * 4) / 3) + 256
const maxBundle = Math.ceil((Limits.chainBytes * 4) / 3) + 4096
const txtSegment = 255

const encodeWith = (prefix: string, content: Uint8Array, compress: Compress): string =>
  prefix + Bytes.toBase64Url(compress(content))

const decodeWith = (
  prefix: string,
  text: string,
  maxText: number,
  maxBytes: number,
  decompress: Decompress
): Result.Result<Uint8Array, Problem> => {
  if (!text.startsWith(prefix)) return fail("encoding_malformed", `it does not begin with ${prefix}`)
  if (text.length > maxText) return fail("too_large", `it has more than ${maxText} characters`)
  return Result.flatMap(Bytes.fromBase64Url(text.slice(prefix.length)), (frame) => decompress(frame, maxBytes))
}

/** `kez:z1:` and base64url of the compressed JSON. */
export const encodeCompact = (envelope: Envelope.Envelope, compress: Compress = ZstdFrame.store): string =>
  encodeWith(compactPrefix, Envelope.encode(envelope), compress)

/** Parses the compact form, ignoring surrounding white space. At most 64 KiB of JSON. */
export const decodeCompact = (text: string, decompress: Decompress): Result.Result<Envelope.Envelope, Problem> =>
  Result.flatMap(decodeWith(compactPrefix, text.trim(), maxCompact, Limits.proofBytes, decompress), (json) =>
    Envelope.parse(json, Limits.proofBytes)
  )

/** A readable page with the JSON in a fence, as for a gist or README. */
export const encodeMarkdown = (envelope: Envelope.Envelope): string => {
  const { payload, signature } = envelope
  const subject = typeof payload["subject"] === "string" ? `Subject: ${payload["subject"]}\n` : ""
  const json = JSON.stringify(Envelope.toJson(envelope), undefined, 2)
  return `# KEZ proof\n\nPrimary: ${signature.key}\n${subject}\n\`\`\`kez\n${json}\n\`\`\`\n`
}

/** Parses the first fence marked `kez`, JSON or compact. A `Primary:` line before it must name the signer. */
export const decodeMarkdown = (text: string, decompress: Decompress): Result.Result<Envelope.Envelope, Problem> => {
  const open = fenceOpen.exec(text)
  if (open === null) return fail("encoding_malformed", "there is no fence marked kez")
  const rest = text.slice(open.index + open[0].length)
  const close = fenceClose.exec(rest)
  if (close === null) return fail("encoding_malformed", "the fence is not closed")
  const content = rest.slice(0, close.index).trim()
  const envelope = content.startsWith(compactPrefix)
    ? decodeCompact(content, decompress)
    : Envelope.parse(content, Limits.proofBytes)
  if (Result.isFailure(envelope)) return envelope
  const named = /^Primary:[ \t]*(\S+)[ \t]*\r?$/m.exec(text.slice(0, open.index))?.[1]
  return named === undefined || named === envelope.success.signature.key
    ? envelope
    : fail("envelope_kind", `the text names ${named.slice(0, 128)}, the envelope ${envelope.success.signature.key}`)
}

/** The strings of a TXT record at `_kez.<domain>`: the compact form in pieces of at most 255 bytes. */
export const encodeTxt = (envelope: Envelope.Envelope, compress?: Compress): ReadonlyArray<string> => {
  const text = encodeCompact(envelope, compress)
  const segments: Array<string> = []
  for (let at = 0; at < text.length; at += txtSegment) segments.push(text.slice(at, at + txtSegment))
  return segments
}

/** Parses a TXT record from its strings, which are concatenated. */
export const decodeTxt = (
  segments: ReadonlyArray<string>,
  decompress: Decompress
): Result.Result<Envelope.Envelope, Problem> => {
  if (segments.some((segment) => segment.length > txtSegment)) {
    return fail("encoding_malformed", `a TXT string has more than ${txtSegment} bytes`)
  }
  return decodeCompact(segments.join(""), decompress)
}

/** JSONL: the JCS form of each envelope and a line feed. */
export const encodeLines = (envelopes: ReadonlyArray<Envelope.Envelope>): string =>
  envelopes.map((envelope) => `${Envelope.encodeText(envelope)}\n`).join("")

/** Parses JSONL of at most 4 MiB; blank lines and a missing last line feed are accepted. */
export const decodeLines = (input: string | Uint8Array): Result.Result<ReadonlyArray<Envelope.Envelope>, Problem> => {
  if (input.length > Limits.chainBytes) return fail("too_large", `more than ${Limits.chainBytes} bytes`)
  const text = typeof input === "string" ? Result.succeed(input) : Bytes.fromUtf8(input)
  if (Result.isFailure(text)) return Result.fail(text.failure)
  const envelopes: Array<Envelope.Envelope> = []
  for (const line of text.success.split("\n")) {
    const trimmed = line.trim()
    if (trimmed === "") continue
    const envelope = Envelope.parse(trimmed)
    if (Result.isFailure(envelope)) return Result.fail(envelope.failure)
    envelopes.push(envelope.success)
  }
  return Result.succeed(envelopes)
}

/** `kez:zc1:` and base64url of the compressed JSONL of a chain. */
export const encodeBundle = (
  envelopes: ReadonlyArray<Envelope.Envelope>,
  compress: Compress = ZstdFrame.store
): string => encodeWith(bundlePrefix, Bytes.utf8(encodeLines(envelopes)), compress)

/** Parses a bundle of at most 4 MiB of JSONL. */
export const decodeBundle = (
  text: string,
  decompress: Decompress
): Result.Result<ReadonlyArray<Envelope.Envelope>, Problem> =>
  Result.flatMap(decodeWith(bundlePrefix, text.trim(), maxBundle, Limits.chainBytes, decompress), decodeLines)

/** Guesses the encoding of a text; undefined if none matches. */
export const detect = (text: string): "compact" | "bundle" | "markdown" | "json" | undefined => {
  const trimmed = text.trimStart()
  if (trimmed.startsWith(compactPrefix)) return "compact"
  if (trimmed.startsWith(bundlePrefix)) return "bundle"
  if (trimmed.startsWith("{")) return "json"
  return fenceOpen.test(text) ? "markdown" : undefined
}

/** Parses one envelope in any of the three text forms. */
export const decode = (text: string, decompress: Decompress): Result.Result<Envelope.Envelope, Problem> => {
  switch (detect(text)) {
    case "compact":
      return decodeCompact(text, decompress)
    case "markdown":
      return decodeMarkdown(text, decompress)
    case "json":
      return Envelope.parse(text, Limits.proofBytes)
    default:
      return fail("encoding_malformed", "neither compact, nor a kez fence, nor JSON")
  }
}
