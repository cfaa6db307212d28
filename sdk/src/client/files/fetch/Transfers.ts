/** Files on their way from and to other devices, while a session is open. */
import * as Effect from "effect/Effect"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import { ClientOptions } from "../../internal/ClientOptions.ts"
import type { Session } from "../../internal/Session.ts"
import * as Device from "./Device.ts"
import * as Fetch from "./Fetch.ts"

/** Opens the device of a session, until the scope closes. */
export const open = Effect.fnUntraced(function* (session: Session) {
  const link = yield* BrokerLink
  const options = yield* ClientOptions
  const device = yield* Device.make(session)
  const fetch = yield* Fetch.make(session, device)
  return { fetch, serve: options.offline === true ? link.orOffline(Effect.never) : device.serve }
})

export type Transfers = Effect.Success<ReturnType<typeof open>>
