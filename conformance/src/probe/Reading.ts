/** Finds the envelopes in an input, whatever carries them, and says how they were carried. */
import { Zstd } from "@kez-chat/sdk/node"
import * as Result from "effect/Result"
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib"
import { shown } from "../shim/Protocol.ts"
import { type Sighting, sighting } from "./Facts.ts"
import { isObject, type JsonObject, parse, slices } from "./LooseJson.ts"
import { limitBytes, NotKez, type Source } from "./Source.ts"

/** Envelopes of one input that are examined. A full chain of small events has about 9,000. */
const limitEnvelopes = 10_000

/** A statement as it was found. */
export interface Found {
  /** The JSON text, exactly as it stands. */
  readonly text: string
  readonly value: JsonObject
}

export interface Reading {
  /** In words: `JSON Lines`, `compact text in a fence`. */
  readonly carrier: string
  readonly envelopes: ReadonlyArray<Found>
  readonly sightings: ReadonlyArray<Sighting>
}

const isEnvelope = (value: unknown): value is JsonObject =>
  isObject(value) && isObject(value["payload"]) && (isObject(value["signature"]) || typeof value["sig"] === "string")

const found = (text: string, value: unknown, where: string): Found => {
  if (isEnvelope(value)) return { text, value }
  const members = isObject(value) ? Object.keys(value).slice(0, 8) : []
  throw new NotKez(
    isObject(value)
      ? `${where} is JSON, but no envelope: its members are ${shown(members.join(", ") || "none")}`
      : `${where} is no envelope`
  )
}

const limited = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> => {
  if (list.length > limitEnvelopes) throw new NotKez(`the input has more than ${limitEnvelopes} envelopes`)
  return list
}

/** The elements of an array at a path, each with its own text. */
const elements = (text: string, list: ReadonlyArray<unknown>, path: ReadonlyArray<string>): ReadonlyArray<Found> => {
  const texts = slices(text, path)
  return limited(list).map((value, at) => found(texts[at] ?? JSON.stringify(value), value, `element ${at}`))
}

/** Envelopes in a JSON text: one, a list, or JSON Lines. */
const readJson = (text: string): Reading => {
  const value = parse(text)
  if (isEnvelope(value)) return { carrier: "JSON", envelopes: [{ text, value }], sightings: [] }
  const otherList = (carrier: string, envelopes: ReadonlyArray<Found>): Reading => ({
    carrier,
    envelopes,
    sightings: [sighting("list", false, carrier)]
  })
  if (Array.isArray(value)) return otherList("a JSON array", elements(text, value, []))
  if (isObject(value)) {
    const [name, list] =
      Object.entries(value).find(([, member]) => Array.isArray(member) && member.some(isEnvelope)) ?? []
    if (name === undefined || !Array.isArray(list))
      return { carrier: "JSON", envelopes: [found(text, value, "it")], sightings: [] }
    return otherList(`a JSON object with a list named ${shown(name, 40)}`, elements(text, list, [name]))
  }
  const lines = text
    .split("\n")
    .map((line, at) => ({ line: line.trim(), at: at + 1 }))
    .filter(({ line }) => line !== "")
  if (lines.length === 1) throw new NotKez("it begins like JSON, but is none")
  return {
    carrier: "JSON Lines",
    envelopes: limited(lines).map(({ at, line }) => found(line, parse(line), `line ${at}`)),
    sightings: [sighting("list", true, "JSON Lines")]
  }
}

const limits = { maxOutputLength: limitBytes }
const decompressors: ReadonlyArray<readonly [name: string, decompress: (bytes: Uint8Array) => Uint8Array]> = [
  ["zstd", (bytes) => Result.getOrThrow(Zstd.decompress(bytes, limitBytes))],
  ["zstd, not as one whole frame", (bytes) => zstdDecompressSync(bytes, limits)],
  ["gzip", (bytes) => gunzipSync(bytes, limits)],
  ["zlib", (bytes) => inflateSync(bytes, limits)],
  ["deflate-raw", (bytes) => inflateRawSync(bytes, limits)],
  ["brotli", (bytes) => brotliDecompressSync(bytes, limits)],
  ["no compression", (bytes) => bytes]
]

const utf8 = new TextDecoder("utf-8", { fatal: true })

const decompressed = (bytes: Uint8Array): readonly [name: string, text: string] => {
  for (const [name, decompress] of decompressors)
    try {
      const text = utf8.decode(decompress(bytes))
      if (/^\s*[[{]/.test(text)) return [name, text]
    } catch {
      // Not this one.
    }
  throw new NotKez(`the compressed part is none of ${decompressors.map(([name]) => name).join(", ")}, or too large`)
}

const alphabetOf = (body: string): string =>
  [
    /[+/]/.test(body) ? "base64" : "base64url",
    ...(body.endsWith("=") ? ["with padding"] : []),
    ...(/\s/.test(body) ? ["with white space"] : [])
  ].join(" ")

/** `kez:z1:` and its relatives. */
const readCompact = (text: string): Reading => {
  const [, prefix, body] = /^(kez:[a-z0-9]{1,8}:)([A-Za-z0-9+/_\s=-]*)$/i.exec(text.trim()) ?? []
  if (prefix === undefined || body === undefined) throw new NotKez("what follows kez: is not base64")
  const [compression, json] = decompressed(Buffer.from(body, "base64"))
  const inner = readJson(json.trim())
  const isBundle = prefix === "kez:zc1:"
  const known = isBundle || prefix === "kez:z1:"
  const content = inner.carrier === "JSON" ? "one envelope as JSON" : inner.carrier
  return {
    carrier: `${prefix} of ${content}`,
    envelopes: inner.envelopes,
    sightings: [
      sighting("compression", known && compression === "zstd", `${prefix} with ${compression}`),
      sighting("alphabet", alphabetOf(body) === "base64url", alphabetOf(body)),
      sighting(
        "content",
        isBundle ? inner.carrier === "JSON Lines" || inner.carrier === "JSON" : inner.carrier === "JSON",
        `${content} in ${prefix}`
      )
    ]
  }
}

/** The first fence marked `kez`. */
const readFence = (before: string, content: string): Reading => {
  const inner = read(content.trim())
  const named = /^[ \t>*_#-]{0,8}Primary[*_ \t]{0,8}:[*_ \t]{0,8}`?([^\s*_`]+)/im.exec(before)?.[1]
  const [first] = inner.envelopes
  const signature = first?.value["signature"]
  const key = isObject(signature) ? signature["key"] : undefined
  return {
    carrier: `${inner.carrier} in a fence`,
    envelopes: inner.envelopes,
    sightings: [
      ...inner.sightings,
      sighting("fence", true, inner.carrier),
      ...(named === undefined
        ? []
        : [
            sighting(
              "fence-primary",
              named === key && /^Primary:/m.test(before),
              named === key ? "a line Primary: with the signer" : `a line Primary: with ${shown(named, 80)}`
            )
          ])
    ]
  }
}

const segmentForm = /^(?:"[^"]{0,1024}"\s{0,8}){1,1024}$/

/** Strings of a TXT record, as `dig +short` prints them. */
const readTxt = (text: string): Reading => {
  const segments = [...text.matchAll(/"([^"]*)"/g)].map(([, segment = ""]) => segment.replace(/\\(.)/g, "$1"))
  const joined = segments.join("")
  const at = joined.search(/kez:z/i)
  if (at < 0) throw new NotKez("the TXT strings hold no kez:z1:")
  const inner = readCompact(joined.slice(at))
  const bare = at === 0 && segments.every((segment) => segment.length <= 255)
  return {
    carrier: `${inner.carrier} in ${segments.length} TXT strings`,
    envelopes: inner.envelopes,
    sightings: [
      ...inner.sightings,
      sighting("txt", bare, at === 0 ? "bare, joined" : `after ${shown(JSON.stringify(joined.slice(0, at)), 40)}`)
    ]
  }
}

const read = (text: string): Reading => {
  if (text === "") throw new NotKez("the input is empty")
  if (/^kez:[a-z0-9]+:/i.test(text)) return readCompact(text)
  if (text.startsWith("{") || text.startsWith("[")) return readJson(text)
  if (segmentForm.test(text)) return readTxt(text)
  const open = /^[ \t]{0,3}```[ \t]{0,8}kez[ \t]{0,8}\r?$/m.exec(text)
  if (open !== null) {
    const after = text.slice(open.index + open[0].length)
    const end = after.search(/^[ \t]{0,3}```/m)
    if (end < 0) throw new NotKez("the fence marked kez is not closed")
    return readFence(text.slice(0, open.index), after.slice(0, end))
  }
  const [compact] = /kez:z[a-z0-9]{0,8}:[A-Za-z0-9+/_=-]+/.exec(text) ?? []
  if (compact !== undefined) {
    const inner = readCompact(compact)
    return { ...inner, carrier: `${inner.carrier} within other text` }
  }
  throw new NotKez("it holds no KEZ envelope: neither JSON, nor kez:z1:, nor a fence marked kez")
}

/** What a sig-server's own headers show. */
const headersOf = ({ headers, name }: Source): ReadonlyArray<Sighting> => {
  if (headers === undefined || !new URL(name).pathname.includes("/v1/sigchains/")) return []
  const type = headers.get("content-type") ?? "no media type"
  const origin = headers.get("access-control-allow-origin")
  return [
    sighting("media-type", /^application\/jsonl\b/.test(type), shown(type, 60)),
    sighting("cross-origin", origin === "*", origin === null ? "no Access-Control-Allow-Origin" : shown(origin, 60))
  ]
}

/** Throws `NotKez` with one sentence for everything that is no envelope. */
export const readEnvelopes = (source: Source): Reading => {
  let text: string
  try {
    text = utf8.decode(source.bytes).trim()
  } catch {
    throw new NotKez("the input is not UTF-8 text")
  }
  const reading = read(text)
  return { ...reading, sightings: [...headersOf(source), ...reading.sightings] }
}
