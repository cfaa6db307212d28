/** DID documents (W3C DID Core) of the methods `plc` and `web`. */
import * as Effect from "effect/Effect"
import { Handle } from "../../protocol/index.ts"
import type { Page, Tools } from "./Channel.ts"
import * as Json from "./ProviderJson.ts"

export interface DidDocument {
  readonly page: Page
  readonly alsoKnownAs: ReadonlyArray<string>
}

const plcForm = /^did:plc:[a-z2-7]{24}$/

/** Where the document of a `did:web` lies, by that method's specification; undefined for any other DID. */
export const webUrlOf = (did: string): string | undefined => {
  const [host = "", ...path] = /^did:web:([A-Za-z0-9.%_:~-]+)$/.exec(did)?.[1]?.split(":") ?? []
  const [name = "", port, ...more] = host.toLowerCase().replace("%3a", ":").split(":")
  if (!Handle.isServerName(name) || !name.includes(".") || more.length > 0) return undefined
  if (port !== undefined && !/^[1-9][0-9]{0,4}$/.test(port)) return undefined
  if (path.some((segment) => !/^[A-Za-z0-9._~-]+$/.test(segment) || /^\.+$/.test(segment))) return undefined
  const base = `https://${name}${port === undefined ? "" : `:${port}`}`
  return path.length === 0 ? `${base}/.well-known/did.json` : `${base}/${path.join("/")}/did.json`
}

/** The document of a DID; undefined if there is none, or if it is another DID's. */
export const fetch = Effect.fnUntraced(function* ({ get, plc }: Tools, did: string) {
  const url = plcForm.test(did) ? `${yield* plc}/${did}` : webUrlOf(did)
  const page = url === undefined ? undefined : yield* get(url)
  if (page === undefined) return undefined
  const json = yield* Json.parse(page)
  if ((yield* Json.expected(page, Json.text(json, "id"))) !== did) return undefined
  const alsoKnownAs = Json.list(json, "alsoKnownAs").filter((uri) => typeof uri === "string")
  return { page, alsoKnownAs } satisfies DidDocument
})
