/** An object in the place of another that comes and goes. */
import type { Calls, Kind, Methods } from "./Calls.ts"

/** An object whose methods are those that `current` has when they are called; a stream asks when its loop begins. */
export const forward = <Target>(calls: Calls<Target>, current: () => Target): Target => {
  const now = (name: string) => {
    const target = current() as Methods
    return (args: ReadonlyArray<unknown>) => target[name]!(...args)
  }
  return Object.fromEntries(
    Object.entries<Kind>(calls).map(([name, kind]) => [
      name,
      kind === "stream"
        ? (...args: ReadonlyArray<unknown>): AsyncIterable<unknown> => ({
            [Symbol.asyncIterator]: () => (now(name)(args) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
          })
        : async (...args: ReadonlyArray<unknown>) => now(name)(args)
    ])
  ) as Target
}
