/** Asks servers that a stranger names: by https, at public addresses, in bounds (spec KEZ-PRF-110 to 116). */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Limits from "../../../protocol/Limits.ts"
import { Problem } from "../../../protocol/Problem.ts"
import { type Answer, exchange, type ExchangeFailed } from "../../http-core/Exchange.ts"
import { type GetOptions, type Page, Unreachable } from "../Channel.ts"
import type { HostPace } from "./HostPace.ts"
import * as RateLimit from "./RateLimit.ts"
import { refusal } from "./Target.ts"

export interface HttpGetOptions {
  /** Connects to public addresses only, where the platform shows them. */
  readonly fetch: typeof globalThis.fetch
  readonly pace: HostPace
  /** Whether the program itself chose this server: its URL is not checked. */
  readonly isChosen: (url: URL) => boolean
  /** The page's policy lets it ask chosen servers only. */
  readonly isBrowser?: boolean
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>
}

const forbidden = (detail: string, cause?: unknown) =>
  new Unreachable({ reason: "forbidden", detail, ...(cause === undefined ? {} : { cause }) })

/** A connection that the name lookup refused, in the causes of what `fetch` throws. */
export const isRefused = (cause: unknown): boolean =>
  [cause, cause instanceof Error ? cause.cause : undefined].some(
    (one) => one instanceof Problem && one.code === "address_forbidden"
  )

const failed = (host: string, { cause, detail }: ExchangeFailed): Unreachable =>
  isRefused(cause)
    ? forbidden(`${host} has no public address`, cause)
    : new Unreachable({ reason: "network", detail: `${host} cannot be asked: ${detail}`, cause })

const noAnswer = (host: string, status: number, retryAt: number | undefined): Unreachable =>
  new Unreachable({
    reason: "network",
    detail: `${host} answers with status ${status}`,
    ...(retryAt === undefined ? {} : { retryAt })
  })

export const make =
  ({ fetch, headers = {}, isBrowser = false, isChosen, pace }: HttpGetOptions) =>
  (address: string, options: GetOptions = {}): Effect.Effect<Page | undefined, Unreachable> =>
    Effect.gen(function* () {
      const { absent = [404, 410], accept = "*/*" } = options
      let url = URL.parse(address)
      const origin = url?.origin
      for (let redirects = 0; ; redirects++) {
        if (url === null) return yield* forbidden("it names no URL")
        const { host } = url
        const why = refusal(url, "https:", isChosen)
        if (why !== undefined) return yield* forbidden(why)
        if (isBrowser && !isChosen(url)) {
          const detail = `this page may not ask ${host}: the command line, kez-chat, can`
          return yield* new Unreachable({ reason: "needs_cli", detail })
        }
        yield* pace.turn(host)
        const request = { method: "GET", headers: { ...headers, accept } }
        const answer: Answer = yield* Effect.mapError(
          exchange(fetch, url, request, {
            maxBytes: Limits.proofAnswerBytes,
            pieceMillis: Limits.proofAnswerMillis,
            wholeMillis: Limits.proofAnswerMillis
          }),
          (error) => failed(host, error)
        )
        const fetchedAt = yield* Clock.currentTimeMillis
        const { isExhausted, retryAt } = RateLimit.ofHeaders(answer.headers, fetchedAt)
        const { status } = answer
        if (retryAt !== undefined && (isExhausted || status === 429 || status === 503)) pace.postpone(host, retryAt)
        if (answer.isRedirect) {
          const location = answer.headers.get("location")
          const next: URL | null = location === null ? null : URL.parse(location, url.href)
          if (next?.origin !== origin) {
            return yield* forbidden(`${host} redirects to another host, which is not followed`)
          }
          if (redirects === Limits.proofRedirects) {
            return yield* new Unreachable({ reason: "network", detail: `${host} redirects without end` })
          }
          url = next
          continue
        }
        if (status === 200) return { url: url.href, fetchedAt, body: answer.body }
        if (absent.includes(status)) return undefined
        if (status === 429 || (status === 403 && (isExhausted || retryAt !== undefined))) {
          return yield* new Unreachable({
            reason: "rate_limited",
            detail: `${host} answers no more requests from here${retryAt === undefined ? " at the moment" : ` until ${new Date(retryAt).toISOString()}`}`,
            ...(retryAt === undefined ? {} : { retryAt })
          })
        }
        return yield* noAnswer(host, status, retryAt)
      }
    })
