/** A file in memory, and its answer: encoding by `Accept-Encoding`, 304 by `If-None-Match`. */
import { createHash } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { isHeld } from "./EntityTag.ts"

const codings = ["br", "gzip"] as const

/** A file as compression made it; a coding that saves nothing is undefined. */
export type Compressed = Readonly<Record<(typeof codings)[number], Buffer | undefined>>

export interface StaticFile {
  /** The headers of every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Best first, `identity` last. */
  readonly variants: ReadonlyArray<{
    readonly coding: keyof Compressed | "identity"
    readonly bytes: Buffer
    readonly etag: string
  }>
}

/** A file from its bytes; `headers` go with every answer. */
export const staticFile = (
  bytes: Buffer,
  compressed: Compressed,
  headers: Readonly<Record<string, string>>
): StaticFile => {
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22)
  const variants = codings.flatMap((coding) => {
    const body = compressed[coding]
    return body === undefined ? [] : [{ coding, bytes: body, etag: `"${hash}-${coding}"` }]
  })
  return {
    headers: variants.length === 0 ? headers : { ...headers, vary: "Accept-Encoding" },
    variants: [...variants, { coding: "identity", bytes, etag: `"${hash}"` }]
  }
}

/** Whether `Accept-Encoding` lists a coding and does not rule it out with `q=0`. */
const accepts = (header: string, coding: string): boolean =>
  header.split(",").some((item) => {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase())
    return name === coding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })

/** Answers a GET or HEAD. */
export const sendFile = (request: IncomingMessage, response: ServerResponse, file: StaticFile): void => {
  const header = String(request.headers["accept-encoding"] ?? "")
  const chosen = file.variants.find(({ coding }) => coding === "identity" || accepts(header, coding))
  if (chosen === undefined) throw new Error("a static file without its own bytes")
  const { bytes, coding, etag } = chosen
  if (isHeld(request.headers["if-none-match"], etag)) {
    response.writeHead(304, { ...file.headers, etag })
    response.end()
    return
  }
  const length = { "content-length": bytes.length }
  const encoding = coding === "identity" ? {} : { "content-encoding": coding }
  response.writeHead(200, { ...file.headers, ...length, ...encoding, etag })
  response.end(request.method === "HEAD" ? undefined : bytes)
}
