/** Serves in the background of another command: a failure is reported once, and serving is retried. */
import * as Effect from "effect/Effect"
import { describe } from "../../Failure.ts"
import type { Files } from "../../owner/Files.ts"
import { type Screen, warn } from "../../terminal/output/Screen.ts"

/** Pause between retries, in milliseconds. */
const againMillis = 30_000

/** Serves until it is interrupted. A failure is a warning, since messages work without files. */
export const serveInBackground = (files: Files): Effect.Effect<never, never, Screen> => {
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
