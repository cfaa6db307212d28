/** One HTTP request and its whole answer, within limits of time and size, in Node and browsers. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

export interface Request {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer> | null
}

export interface ExchangeLimits {
  /** Size of the body after content decoding. */
  readonly maxBytes: number
  /** For the head of the answer and for each further piece of it. */
  readonly pieceMillis: number
  readonly wholeMillis: number
}

/** A redirect is not followed and has no body. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
  readonly isRedirect: boolean
}

/** `detail` continues "the server cannot be asked:"; `cause` is what `fetch` threw. */
export class ExchangeFailed extends Data.TaggedError("ExchangeFailed")<{
  readonly detail: string
  readonly cause?: unknown
}> {}

class BodyTooLarge extends Data.TaggedError("BodyTooLarge")<{}> {
  override get message(): string {
    return "the answer is larger than this client accepts"
  }
}

/** Reads a body in pieces; each piece renews the time limit. */
const readBody = async (response: Response, maxBytes: number, renew: () => void): Promise<Uint8Array<ArrayBuffer>> => {
  if (response.body === null) return new Uint8Array(0)
  const pieces: Array<Uint8Array> = []
  let length = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    renew()
    length += value.length
    if (length > maxBytes) {
      await reader.cancel().catch(() => undefined)
      throw new BodyTooLarge()
    }
    pieces.push(value)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** Asks, never with cookies, a cache or a referrer. Interruption aborts the request. */
export const exchange = (
  fetch: typeof globalThis.fetch,
  url: URL,
  request: Request,
  { maxBytes, pieceMillis, wholeMillis }: ExchangeLimits
): Effect.Effect<Answer, ExchangeFailed> =>
  Effect.callback((resume) => {
    const controller = new AbortController()
    const late = (millis: number) => () => controller.abort(new Error(`no answer within ${millis / 1_000} s`))
    let timer = setTimeout(late(pieceMillis), pieceMillis)
    const whole = setTimeout(late(wholeMillis), wholeMillis)
    const renew = () => {
      clearTimeout(timer)
      timer = setTimeout(late(pieceMillis), pieceMillis)
    }
    const ask = async (): Promise<Answer> => {
      const response = await fetch(url, {
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
        redirect: "manual",
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
        signal: controller.signal
      })
      renew()
      const { headers, status } = response
      if (isRedirect(response)) {
        await response.body?.cancel().catch(() => undefined)
        return { status, headers, body: new Uint8Array(0), isRedirect: true }
      }
      return { status, headers, body: await readBody(response, maxBytes, renew), isRedirect: false }
    }
    const stop = () => {
      clearTimeout(timer)
      clearTimeout(whole)
    }
    const run = async () => {
      try {
        resume(Effect.succeed(await ask()))
      } catch (cause) {
        resume(Effect.fail(new ExchangeFailed({ detail: describe(cause, controller.signal), cause })))
      } finally {
        stop()
      }
    }
    void run()
    return Effect.sync(() => {
      stop()
      controller.abort()
    })
  })

/** Browsers report a redirect that was not followed only as `opaqueredirect`. */
const isRedirect = ({ status, type }: Response): boolean =>
  type === "opaqueredirect" || (status > 300 && status <= 308 && status !== 304)

const today = (): string => new Date().toISOString().slice(0, 10)

/** `fetch` hides the reason (refused, unknown host, bad certificate) in the cause of "fetch failed". */
const describe = (cause: unknown, signal: AbortSignal): string => {
  if (signal.aborted && signal.reason instanceof Error) return signal.reason.message
  const inner = cause instanceof Error ? cause.cause : undefined
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : ""
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "the connection was refused",
    ENOTFOUND: "its name is unknown",
    EAI_AGAIN: "its name cannot be looked up at the moment",
    ECONNRESET: "the connection was lost",
    ETIMEDOUT: "the connection timed out",
    UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
    EHOSTUNREACH: "it cannot be reached from this network",
    ENETUNREACH: "it cannot be reached from this network",
    UND_ERR_SOCKET: "the connection was lost",
    ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak https at this port",
    EPROTO: "it does not speak https at this port",
    ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak https at this port",
    ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
    DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not signed by an authority this machine trusts",
    SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by an authority this machine trusts",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by an authority this machine trusts",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not signed by an authority this machine trusts",
    CERT_HAS_EXPIRED: `its certificate has expired, or the clock of this device is wrong: it says ${today()}`,
    CERT_NOT_YET_VALID: `its certificate is not valid yet, or the clock of this device is wrong: it says ${today()}`
  }
  if (code.startsWith("HPE_")) return "it does not speak http at this port"
  return (
    words[code] ??
    (inner instanceof Error && inner.message !== ""
      ? inner.message
      : cause instanceof Error
        ? cause.message
        : "it failed")
  )
}

/** `Retry-After` in milliseconds: seconds, or an HTTP date (RFC 9110 section 10.2.3) relative to the server's clock. */
export const retryAfter = (headers: Headers): { readonly retryAfterMillis?: number } => {
  const value = headers.get("retry-after")
  if (value === null) return {}
  const now = Date.parse(headers.get("date") ?? "")
  const millis = /^\d{1,9}$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - (Number.isNaN(now) ? Date.now() : now)
  return Number.isNaN(millis) ? {} : { retryAfterMillis: Math.max(0, millis) }
}
