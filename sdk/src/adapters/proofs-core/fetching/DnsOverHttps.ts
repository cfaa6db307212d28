/** Looks up TXT records at a resolver over HTTPS (RFC 8484, by GET). */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import { type Tools, type TxtAnswer, Unreachable } from "../Channel.ts"
import * as DnsMessage from "./DnsMessage.ts"

const noError = 0
const noSuchName = 3

/** `url`: the resolver's address without a query, `https://dns.example/dns-query`. */
export const txt =
  (get: Tools["get"], url: string) =>
  (name: string): Effect.Effect<TxtAnswer, Unreachable> =>
    Effect.gen(function* () {
      const query = Bytes.toBase64Url(DnsMessage.encodeQuery(name))
      const page = yield* get(`${url}?dns=${query}`, { accept: "application/dns-message", absent: [] })
      const unusable = (detail: string) =>
        new Unreachable({ reason: "network", detail: `${name} cannot be looked up at ${url}: ${detail}` })
      if (page === undefined) return yield* unusable("there is no answer")
      const message = DnsMessage.decodeTxt(page.body, name)
      if (Result.isFailure(message)) return yield* unusable(message.failure.detail)
      const { isAuthenticated, records, responseCode } = message.success
      if (responseCode !== noError && responseCode !== noSuchName) {
        return yield* unusable(`its name servers fail, code ${responseCode}`)
      }
      const dnssec = isAuthenticated ? ("secure" as const) : ("insecure" as const)
      const exists = responseCode === noError
      return { fetchedAt: page.fetchedAt, records: exists ? records : [], exists, dnssec }
    })
