/** Serving while something else goes on: what keeps it from working is said once, and it is tried again. */
import * as Effect from "effect/Effect"
import { describe } from "../../Failure.ts"
import type { Files } from "../../owner/Files.ts"
import { type Screen, warn } from "../../terminal/output/Screen.ts"

/** How soon serving is tried again after it failed, in milliseconds. */
const againMillis = 30_000

/** Serves for as long as it is run. Failing is a warning: messages go on without files. */
export const besides = (files: Files): Effect.Effect<never, never, Screen> => {
  let said: string | undefined
  return Effect.forever(
    files.serve.pipe(
      Effect.catch((error) => {
        const { message } = describe(error)
        if (message === said) return Effect.void
        said = message
        return warn(`files are not served: ${message}`)
      }),
      Effect.andThen(Effect.sleep(againMillis))
    )
  )
}
