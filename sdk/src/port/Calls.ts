/** How the calls of an object cross a port. */

/** A call is answered once, a stream item by item. `local`: an argument or result cannot leave its side. */
export type Kind = "call" | "stream" | "local"

type KindOf<Member> = Member extends (...args: ReadonlyArray<never>) => infer Result
  ? Result extends AsyncIterable<unknown>
    ? "stream" | "local"
    : "call" | "local"
  : never

/** Every method of `Target` by name with its kind; `close` and what is named by a symbol belong to each side alone. */
export type Calls<Target> = {
  readonly [Name in Exclude<keyof Target, "close" | symbol>]-?: KindOf<Target[Name]>
}

/** The methods of a table, by name, as functions whose types are not known here. */
export type Methods = Readonly<Record<string, (...args: ReadonlyArray<unknown>) => unknown>>

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
