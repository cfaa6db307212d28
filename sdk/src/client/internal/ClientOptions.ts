/** The options that the client was built with. */
import * as Context from "effect/Context"
import type { Options } from "../model/index.ts"

export class ClientOptions extends Context.Service<ClientOptions, Options>()("@kez-chat/sdk/ClientOptions") {}
