/** `Directory` over the home server's HTTP interface. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ChatServerApi } from "../../api/ChatServerApi.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Directory, type DirectoryError, ServerUnreachable } from "../../services/Directory.ts"
import type { HomeReach } from "../../services/homes/HomeReach.ts"
import * as Transport from "./Transport.ts"

export interface HttpDirectoryOptions {
  /** Base URL of the home server: https, or http on this machine. */
  readonly home: string
  /** Time limit for an answer and for each further piece of it; default 10 s. */
  readonly timeoutMillis?: number
  readonly fetch?: typeof globalThis.fetch
  /** Restricts the addresses of a home that the user did not choose (spec KEZ-REG-102). */
  readonly namedBy?: HomeReach
}

/** Size limit of records, descriptions and problems, which have a few KiB. */
const maxBytes = 65_536

type ClientError = DirectoryError | HttpClientError.HttpClientError | Schema.SchemaError

/** Maps failures of the derived client to this service's errors. */
const settle = (home: string) =>
  Effect.mapError((error: ClientError): DirectoryError => {
    if (error instanceof Problem || error instanceof ServerUnreachable) return error
    if (HttpClientError.isHttpClientError(error)) return Transport.unexpected(home, error.response?.status, error)
    return new Problem({ code: "record_invalid", detail: error.message.replace(/\s+/g, " ") })
  })

/** A server without a description is not a kez-chat home. */
const noHome = (home: string, error: DirectoryError): DirectoryError => {
  const isOther = error instanceof Problem ? error.code === "not_found" : Transport.isUnexpected(error)
  if (!isOther) return error
  const detail = "no kez-chat home server is there; check the address"
  return new ServerUnreachable({ url: home, detail, cause: error })
}

/** A directory that asks one home server and follows no redirect. */
export const layer = (options: HttpDirectoryOptions): Layer.Layer<Directory> => Layer.effect(Directory, make(options))

/** The service of {@link layer}. */
export const make = Effect.fnUntraced(function* ({ home, ...options }: HttpDirectoryOptions) {
  const client = yield* HttpApiClient.makeWith(ChatServerApi, {
    httpClient: Transport.make({ baseUrl: home, maxBytes, body: "json", ...options })
  })
  const settled = settle(home)
  return Directory.of({
    wellKnown: Effect.mapError(settled(client.server.wellKnown()), (error) => noHome(home, error)),
    register: (registration, invite) =>
      settled(client.handles.register({ payload: invite === undefined ? registration : { invite, registration } })),
    lookup: (local) => settled(client.handles.lookup({ params: { handle: local } })),
    byPrimary: (primary) => settled(client.handles.byPrimary({ params: { primary } })),
    delete: (deletion) => Effect.asVoid(settled(client.handles.delete({ payload: deletion }))),
    transfer: (request) => settled(client.handles.transfer({ payload: request })),
    report: (report) => settled(client.reports.report({ payload: report })),
    clockSkewMillis: Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      const response = yield* settled(client.server.healthz({ responseMode: "response-only" }))
      const after = yield* Clock.currentTimeMillis
      const date = Date.parse(response.headers["date"] ?? "")
      if (Number.isNaN(date)) {
        return yield* new ServerUnreachable({ url: home, detail: "its answer has no Date" })
      }
      // The header counts whole seconds, so on average it is half a second behind.
      return Math.round(date + 500 - (before + after) / 2)
    })
  })
})
