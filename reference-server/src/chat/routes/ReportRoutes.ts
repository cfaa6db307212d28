/** The `reports` group: what people tell the operator of each other. */
import { ChatServerApi } from "@kez-chat/sdk/api"
import { Envelope, Limits } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { bodySlots } from "../../http/BodySlots.ts"
import { clientKey } from "../../http/ClientAddress.ts"
import { readJson } from "../../http/RequestBody.ts"
import { counted } from "../../metrics/Counted.ts"
import { every } from "../../process/Every.ts"
import { Reports } from "../../storage/Reports.ts"
import { ChatConfig } from "../ChatConfig.ts"

/** 2 MiB at most. */
const slots = { total: 8, perClient: 1 }
/** How often those closed long ago are removed. */
const removeMillis = 3_600_000

export const layer = HttpApiBuilder.group(
  ChatServerApi,
  "reports",
  Effect.fnUntraced(function* (handlers) {
    const config = yield* ChatConfig
    const reports = yield* Reports
    yield* every(removeMillis, "old reports were not removed", reports.removeOld)
    const clientOf = clientKey(config.listeners.trustedProxies)
    const inSlot = bodySlots(slots)
    const body = { maxBytes: Limits.reportBytes, timeoutMillis: config.timing.requestTimeoutMillis }
    return handlers.handleRaw("report", ({ request }) =>
      inSlot(clientOf(request), readJson(request, body), (json) =>
        Effect.flatMap(Effect.fromResult(Envelope.fromJson(json)), reports.receive)
      ).pipe(
        counted("report"),
        Effect.map(({ created, id }) => HttpServerResponse.jsonUnsafe({ id }, { status: created ? 201 : 200 }))
      )
    )
  })
)
