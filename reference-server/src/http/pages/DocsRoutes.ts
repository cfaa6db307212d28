/** What every public listener adds to its contract: the OpenAPI document and its page. */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import { docsPage } from "./DocsPage.ts"
import { htmlResponse } from "./Page.ts"
import type { Route } from "../RouteTable.ts"

/** Methods and paths of a contract, with those of {@link docsRoutes}. */
export const routesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): ReadonlyArray<Route> => {
  const routes: Array<Route> = [
    { method: "GET", path: "/openapi.json" },
    { method: "GET", path: "/docs" }
  ]
  HttpApi.reflect(api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) => {
      routes.push({ method: endpoint.method, path: endpoint.path })
    }
  })
  return routes
}

/** `/openapi.json` and `/docs`, rendered once. */
export const docsRoutes = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>
): Layer.Layer<never, never, HttpRouter.HttpRouter> =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const spec = OpenApi.fromApi(api)
      yield* router.add(
        "GET",
        "/openapi.json",
        HttpServerResponse.jsonUnsafe(spec, { headers: { "cache-control": "public, max-age=300" } })
      )
      yield* router.add("GET", "/docs", htmlResponse(docsPage(spec)))
    })
  )
