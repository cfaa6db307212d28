/** Files on their way from and to other devices, while a session is open. */
import * as Effect from "effect/Effect"
import { BrokerLink } from "../../internal/BrokerLink.ts"
import { ClientOptions } from "../../internal/ClientOptions.ts"
import type { Session } from "../../internal/Session.ts"
import * as Device from "./Device.ts"
import * as Downloads from "./Fetch.ts"

/** Opens the device and the downloads of a session, for as long as the scope is open. */
export const open = Effect.fnUntraced(function* (session: Session) {
  const link = yield* BrokerLink
  const options = yield* ClientOptions
  const device = yield* Device.make(session)
  const downloads = yield* Downloads.make(session, device)
  return { ...downloads, serve: options.offline === true ? link.orOffline(Effect.never) : device.serve }
})

export type Transfers = Effect.Success<ReturnType<typeof open>>
