/** For clients that can connect to their own home only, such as a page whose policy forbids everything else. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Problem } from "../../protocol/Problem.ts"
import { Homes } from "../homes/Homes.ts"

/** Every other home is `federation_unsupported`. */
export const noHomes: Layer.Layer<Homes> = Layer.succeed(Homes, {
  at: (server) =>
    Effect.fail(
      new Problem({
        code: "federation_unsupported",
        detail: `this client can ask only its own home server, not ${server}: use the kez-chat command line`
      })
    )
})
