/** Properties that are effects: fast-check's inputs and shrinking, with the services of the test around them. */
import { type Context, Effect } from "effect"
import * as fc from "fast-check"

/** Dies with fast-check's report, counterexample and seed included, unless `property` succeeds on every input. */
export const checkProperty = <Inputs extends [unknown, ...Array<unknown>], E, R>(
  arbitraries: { readonly [K in keyof Inputs]: fc.Arbitrary<Inputs[K]> },
  property: (...inputs: Inputs) => Effect.Effect<void, E, R>,
  parameters?: fc.Parameters<Inputs>
): Effect.Effect<void, never, R> =>
  Effect.contextWith((services: Context.Context<R>) =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty<Inputs>(...arbitraries, (...inputs) => Effect.runPromiseWith(services)(property(...inputs))),
        parameters
      )
    )
  )
