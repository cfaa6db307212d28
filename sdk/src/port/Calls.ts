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
