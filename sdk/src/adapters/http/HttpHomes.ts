/**
 * `Homes` over HTTPS (spec: registration, People of other homes). A home is asked at `https://<server>`, which is all
 * that its handles say; it names its sig-server, and WebFinger may say where on that origin a record is.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Json from "../../protocol/encoding/Json.ts"
import { Members } from "../../protocol/encoding/Members.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as Registration from "../../protocol/registration/Registration.ts"
import type { Crypto } from "../../services/Crypto.ts"
import type { DirectoryError } from "../../services/Directory.ts"
import * as HomeReach from "../../services/homes/HomeReach.ts"
import { Homes } from "../../services/homes/Homes.ts"
import * as HttpDirectory from "./HttpDirectory.ts"
import * as HttpSigchainStore from "./HttpSigchainStore.ts"
import * as Transport from "./Transport.ts"

/** How one home is asked. Default: with the global `fetch`, for clients that cannot see addresses. */
export interface Network {
  /** For the home itself. */
  readonly fetch?: typeof globalThis.fetch
  /** For the sig-server that it names. */
  readonly named?: typeof globalThis.fetch
  readonly reach: HomeReach.HomeReach
}

export interface HttpHomesOptions {
  /**
   * Base URLs by server name, for homes that are not at `https://<server>`: in a LAN, or on this machine. The user
   * vouches for these, so such a home may have, and name, addresses as the user's own may.
   */
  readonly urls?: Readonly<Record<string, string>>
  /** `url` is that of `urls`. */
  readonly network?: (server: string, url: string | undefined) => Network
  /** Time limit for an answer and for each further piece of it; default 10 s. */
  readonly timeoutMillis?: number
}

/** Size limit of WebFinger's answers, which have a few KiB, and of records. */
const maxBytes = 65_536

const recordRelation = "urn:kez:record"

/** The default. */
export const byName = (server: string, url: string | undefined): Network => ({
  reach: url === undefined ? HomeReach.ofOther(server) : HomeReach.ofUrl(url)
})

/** No `Problem` of registration, but a route that is not there. */
const isNoSuchRoute = (error: DirectoryError): boolean =>
  error instanceof Problem ? error.code === "not_found" : Transport.isUnexpected(error)

export const layer = (options: HttpHomesOptions = {}): Layer.Layer<Homes, never, Crypto> =>
  Layer.effect(Homes, make(options))

const make = Effect.fnUntraced(function* ({ network = byName, timeoutMillis, urls = {} }: HttpHomesOptions) {
  const crypto = yield* Effect.context<Crypto>()
  const time = timeoutMillis === undefined ? {} : { timeoutMillis }

  const at = Effect.fnUntraced(function* (server: string) {
    const url = Object.hasOwn(urls, server) ? urls[server] : undefined
    const { reach, ...fetches } = network(server, url)
    const home = url ?? `https://${server}`
    const asked = {
      ...time,
      ...(fetches.fetch === undefined ? {} : { fetch: fetches.fetch }),
      ...(url === undefined ? { namedBy: reach } : {})
    }
    const directory = yield* HttpDirectory.make({ home, ...asked })
    const known = yield* directory.wellKnown
    if (known.server !== server) {
      const detail = `${home} is the home server ${known.server}, not ${server}`
      return yield* new Problem({ code: "wrong_server", detail })
    }
    const sigchains = yield* HttpSigchainStore.make({
      url: known.sig_server,
      ...time,
      ...(fetches.named === undefined ? {} : { fetch: fetches.named }),
      namedBy: reach
    }).pipe(Effect.provideContext(crypto))

    const read = Effect.fnUntraced(function* (path: string) {
      const client = Transport.make({ baseUrl: home, maxBytes, body: "json", ...asked })
      const settled = Transport.mapErrors(home)
      const response = yield* settled(client.get(path))
      if (response.status !== 200) return yield* Transport.unexpected(home, response.status, undefined)
      const body = new Uint8Array(yield* settled(response.arrayBuffer))
      return yield* Effect.fromResult(Json.parse(body, { maxBytes }))
    })

    /** The record where WebFinger says that it is, if that is on the home's own origin. */
    const byWebFinger = Effect.fnUntraced(function* (local: string) {
      const resource = encodeURIComponent(`acct:${local}@${server}`)
      const found = yield* read(`/.well-known/webfinger?resource=${resource}`)
      const path = yield* Effect.fromResult(recordPath(found, home))
      return yield* Effect.fromResult(Registration.parseRecord(yield* read(path)))
    })

    return {
      acceptanceKeys: known.acceptance_keys ?? [],
      lookup: (local: string) =>
        Effect.catchIf(directory.lookup(local), isNoSuchRoute, (missing) =>
          Effect.mapError(byWebFinger(local), (error) => (isNoSuchRoute(error) ? missing : error))
        ),
      byPrimary: directory.byPrimary,
      fetch: sigchains.fetch
    }
  })
  return Homes.of({ at })
})

/** The path of the record that a JRD links to; `record_invalid` where it links to none on this origin. */
const recordPath = (jrd: Json.Json, home: string): Result.Result<string, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(jrd, "record_invalid", "WebFinger")
    const { origin } = new URL(home)
    for (const item of yield* members.array("links", 64)) {
      const link = yield* Members.of(item, "record_invalid", "link")
      const href = typeof link.json["href"] === "string" ? URL.parse(link.json["href"]) : null
      if (link.json["rel"] === recordRelation && href?.origin === origin) return href.pathname + href.search
    }
    return yield* members.bad("links", `hold no record on ${origin}`)
  })
