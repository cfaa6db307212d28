/** The handlers of {@link AdminApi}: the same calls as the admin commands, with the token's name as the actor in the audit. */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { routesOf } from "../../http/pages/DocsRoutes.ts"
import type { Route } from "../../http/RouteTable.ts"
import * as AdminTokens from "../../storage/AdminTokens.ts"
import * as Audit from "../../storage/Audit.ts"
import { Database } from "../../storage/Database.ts"
import * as Invites from "../../storage/Invites.ts"
import { Reports } from "../../storage/Reports.ts"
import { Registry } from "../../storage/Registry.ts"
import { Removals } from "../Removals.ts"
import { accountDetails } from "./AccountDetails.ts"
import { Actor, AdminApi, Authorization } from "./AdminApi.ts"

const documentPath = "/internal/admin/openapi.json"

export const routes: ReadonlyArray<Route> = [
  ...routesOf(AdminApi).filter(({ path }) => path.startsWith("/internal/")),
  { method: "GET", path: documentPath }
]

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Whether a token is the internal listener's secret; compared in constant time. */
export const isSecret = (secret: Redacted.Redacted<string>, token: string): boolean =>
  timingSafeEqual(digest(token), digest(Redacted.value(secret)))

export const unauthorized = new Problem.Problem({
  code: "unauthorized",
  detail: "present a token of `admin token create`, or the secret in keys-dir/internal.secret, as a bearer token"
})

const by = (note = "") => Effect.map(Actor, (actor): Audit.By => ({ actor, note }))

const pageEntries = 100

const accounts = HttpApiBuilder.group(
  AdminApi,
  "accounts",
  Effect.fnUntraced(function* (handlers) {
    const registry = yield* Registry
    const removals = yield* Removals
    const context = yield* Effect.context<Registry | Database>()
    return handlers
      .handle("list", ({ query: { after, limit = pageEntries, state } }) =>
        registry.list({
          limit: Number(limit),
          ...(after === undefined ? {} : { after }),
          ...(state === undefined ? {} : { state })
        })
      )
      .handle("show", ({ params }) => Effect.provideContext(accountDetails(params.handle), context))
      .handle("suspend", ({ params, payload }) =>
        Effect.tap(
          Effect.flatMap(by(payload.note), (who) => registry.setSuspended(params.handle, true, who)),
          () => removals.poke
        )
      )
      .handle("unsuspend", ({ params, payload }) =>
        Effect.flatMap(by(payload.note), (who) => registry.setSuspended(params.handle, false, who))
      )
      .handle("revoke", ({ params, payload }) =>
        payload.confirm === params.handle
          ? Effect.tap(
              Effect.flatMap(by(payload.note), (who) => registry.revoke(params.handle, who)),
              () => removals.poke
            )
          : Effect.fail(new Problem.Problem({ code: "request_malformed", detail: "confirm must repeat the handle" }))
      )
      .handle("reserved", () => registry.listReserved)
      .handle("reserve", ({ params, payload: { note = "", reserved } }) =>
        Effect.as(
          Effect.flatMap(by(note), (who) => registry.setReserved(params.handle, reserved, who)),
          { handle: params.handle, reserved, note }
        )
      )
  })
)

const invites = HttpApiBuilder.group(
  AdminApi,
  "invites",
  Effect.fnUntraced(function* (handlers) {
    const database = yield* Database
    return handlers
      .handle("listInvites", () => Invites.list(database))
      .handle("createInvite", ({ payload: { expiresInSeconds, note, uses = 1 } }) =>
        Effect.flatMap(by(note), (who) =>
          Invites.create(
            database,
            { uses, expiresInMillis: expiresInSeconds === undefined ? undefined : expiresInSeconds * 1_000 },
            who
          )
        )
      )
      .handle("revokeInvite", ({ params, payload }) =>
        Effect.flatMap(by(payload.note), (who) => Invites.revoke(database, params.id, who))
      )
  })
)

const reports = HttpApiBuilder.group(
  AdminApi,
  "reports",
  Effect.fnUntraced(function* (handlers) {
    const reports = yield* Reports
    return handlers
      .handle("listReports", ({ query }) => reports.list(query.all === "true"))
      .handle("showReport", ({ params }) => asOperator(reports.show(params.id)))
      .handle("closeReport", ({ params, payload }) =>
        Effect.flatMap(by(payload.note), (who) => reports.close(params.id, who))
      )
      .handle("deleteReport", ({ params, payload }) =>
        Effect.flatMap(by(payload.note), (who) => reports.delete(params.id, who))
      )
  })
)

/** A statement that was verified when it came in holds; should it not, that is a fault of the database. */
const asOperator = <A>(effect: Effect.Effect<A, Problem.Problem>) =>
  Effect.catchTag(effect, "Problem", (problem) =>
    problem.code === "not_found" || problem.code === "unavailable" ? Effect.fail(problem) : Effect.die(problem)
  )

const audit = HttpApiBuilder.group(
  AdminApi,
  "audit",
  Effect.fnUntraced(function* (handlers) {
    const { sql } = yield* Database
    return handlers.handle("entries", ({ query: { before, limit = pageEntries, subject } }) =>
      Audit.entries(sql, {
        limit: Number(limit),
        subject,
        ...(before === undefined ? {} : { before: Number(before) })
      })
    )
  })
)

/** Tells who presents a token. */
const authorization = (secret: Redacted.Redacted<string>) =>
  Layer.effect(
    Authorization,
    Effect.map(Database, ({ sql }) =>
      Authorization.of({
        bearer: Effect.fnUntraced(function* (handled, { credential }) {
          const token = Redacted.value(credential)
          const name = isSecret(secret, token) ? AdminTokens.secretName : yield* AdminTokens.nameOf(sql, token)
          if (name === undefined) return yield* unauthorized
          return yield* Effect.provideService(handled, Actor, `token ${name}`)
        })
      })
    )
  )

export const layer = (secret: Redacted.Redacted<string>) =>
  Layer.merge(
    HttpApiBuilder.layer(AdminApi).pipe(
      Layer.provide([accounts, invites, reports, audit]),
      Layer.provide(authorization(secret))
    ),
    HttpRouter.add("GET", documentPath, HttpServerResponse.jsonUnsafe(OpenApi.fromApi(AdminApi)))
  )
