/**
 * The `handles` group: register, look up, delete. Bodies are read here and parsed strictly, not by the contract's JSON
 * codec.
 */
import { ChatServerApi } from "@kez-chat/sdk/api"
import { Envelope, Handle, Limits, PrimaryKey, Problem, Registration } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { ChatConfig } from "../ChatConfig.ts"
import { counted } from "../../metrics/Counted.ts"
import { readJson } from "../../http/RequestBody.ts"
import { recordText } from "../Records.ts"
import { ActiveKeys } from "../../storage/ActiveKeys.ts"
import { Registry } from "../../storage/Registry.ts"
import { Removals } from "../Removals.ts"

/** The local part that a path parameter names; `not_local` for a handle of another server. */
export const localPart = (text: string, serverName: string): Effect.Effect<string, Problem.Problem> =>
  Effect.fromResult(Handle.parse(text.includes("@") ? text : `${text}@${serverName}`)).pipe(
    Effect.flatMap(({ local, server }) =>
      server === serverName
        ? Effect.succeed(local)
        : Effect.fail(new Problem.Problem({ code: "not_local", detail: `this server is ${serverName}` }))
    )
  )

const dayMillis = 86_400_000

const record = (text: string, status = 200) =>
  HttpServerResponse.text(text, { status, contentType: "application/json" })

/** `retentionDays` is how long a key that handed its handle over can fetch. */
export const layer = (retentionDays: number) =>
  HttpApiBuilder.group(
    ChatServerApi,
    "handles",
    Effect.fnUntraced(function* (handlers) {
      const config = yield* ChatConfig
      const registry = yield* Registry
      const activeKeys = yield* ActiveKeys
      const removals = yield* Removals
      const render = recordText(config)
      const { serverName } = config
      const body = { maxBytes: Limits.registrationBytes, timeoutMillis: config.timing.requestTimeoutMillis }

      const deletion = (request: HttpServerRequest, handle?: string) =>
        readJson(request, body).pipe(
          Effect.flatMap((json) => Effect.fromResult(Envelope.fromJson(json))),
          Effect.flatMap((envelope) => registry.delete(envelope, handle)),
          counted("handle_deletion"),
          Effect.tap(() => removals.poke),
          Effect.as(HttpServerResponse.empty({ status: 204 }))
        )

      return handlers
        .handleRaw("register", ({ request }) =>
          readJson(request, body).pipe(
            Effect.flatMap((json) => Effect.fromResult(Registration.parseInvited(json, serverName))),
            Effect.flatMap(({ invite, registration }) =>
              registry.register(registration, { mode: config.registration, invite })
            ),
            Effect.tap(() => activeKeys.refresh),
            counted("handle_registration"),
            Effect.map(({ account, created }) => record(render(account), created ? 201 : 200))
          )
        )
        .handle("lookup", ({ params }) =>
          localPart(params.handle, serverName).pipe(
            Effect.flatMap((local) => registry.lookUp(local)),
            Effect.map((account) => record(render(account)))
          )
        )
        .handle("byPrimary", ({ params }) =>
          Effect.fromResult(PrimaryKey.parseEd25519(params.primary)).pipe(
            Effect.flatMap((key) => registry.byPrimary(key.hex)),
            Effect.map((account) => record(render(account)))
          )
        )
        .handleRaw("transfer", ({ request }) =>
          readJson(request, { ...body, maxBytes: Limits.transferBytes }).pipe(
            Effect.flatMap((json) => registry.transfer(json, retentionDays * dayMillis)),
            counted("handle_transfer"),
            Effect.tap(() => removals.poke),
            Effect.map((account) => record(render(account)))
          )
        )
        .handleRaw("delete", ({ request }) => deletion(request))
        .handleRaw("deleteAt", ({ params, request }) =>
          Effect.flatMap(localPart(params.handle, serverName), (local) => deletion(request, local))
        )
    })
  )
