/** The sig-server of the world: chains in memory. */
import type { Envelope } from "../../servers/Signing.ts"
import { canonical } from "../crypto/Canonical.ts"
import { hashOf, isSigned } from "../crypto/Keys.ts"
import { type HttpAsked, HttpHost, json, problem, type Reply } from "./HttpHost.ts"

export interface Head {
  readonly seq: number
  readonly hash: string
}

export const headOf = (chain: ReadonlyArray<Envelope>): Head | undefined => {
  const last = chain.at(-1)
  return last && { seq: chain.length - 1, hash: hashOf(last) }
}

export class SigServer {
  /** The chains that are shown, by the 64 digits of their key. */
  readonly chains = new Map<string, ReadonlyArray<Envelope>>()
  readonly http: HttpHost

  constructor(now: () => number) {
    this.http = new HttpHost((asked) => this.#answer(asked), now)
  }

  #answer(asked: HttpAsked): Reply {
    if (asked.path.startsWith("/v1/healthz")) return json({})
    const [, hex = "", rest = "", query] =
      /^\/v1\/sigchains\/ed25519\/([0-9a-f]{64})(\/\w+)?(?:\?since=(\d+))?$/.exec(decodeURIComponent(asked.path)) ?? []
    if (hex === "") return problem(404, "not_found")
    const chain = this.chains.get(hex) ?? []
    if (asked.method === "POST") return this.#append(hex, chain, asked.text)
    const head = headOf(chain)
    if (head === undefined) return problem(404, "chain_not_found")
    if (rest === "/head") return json(head)
    const etag = `"${head.hash}"`
    if (asked.headers["if-none-match"] === etag) return { status: 304, headers: { etag } }
    const shown = chain.slice(query === undefined ? 0 : Number(query))
    return {
      status: 200,
      headers: { "content-type": "application/jsonl", etag },
      body: shown.map((event) => `${canonical(event)}\n`).join("")
    }
  }

  #append(hex: string, chain: ReadonlyArray<Envelope>, text: string): Reply {
    let event: Envelope
    try {
      event = JSON.parse(text) as Envelope
      if (!isSigned(event)) return problem(401, "signature_invalid")
    } catch {
      return problem(400, "envelope_malformed")
    }
    const head = headOf(chain)
    const seq = Number(event.payload["seq"])
    const there = chain[seq]
    if (there !== undefined && hashOf(there) === hashOf(event)) return json({ seq, hash: hashOf(event) })
    if (seq !== chain.length || event.payload["prev"] !== head?.hash)
      return problem(409, "chain_conflict", head === undefined ? {} : { head })
    this.chains.set(hex, [...chain, event])
    return json({ seq, hash: hashOf(event) }, 201)
  }
}
