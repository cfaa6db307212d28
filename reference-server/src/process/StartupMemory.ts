/**
 * Gives back what starting took. V8 grows its young generation while the program is read and keeps it for as long as
 * little is allocated, some 15 MiB in a chat-server that nobody uses.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** When the first connections are up and nothing of the start is under way any more, in milliseconds. */
const afterMillis = 3_000

/** Collects once, after the start: one pause of some 50 ms. What load needs later grows as ever. */
export const release: Effect.Effect<void, never, Scope.Scope> = Effect.sync(() => {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as typeof gc & {}
  // Also shrinks the spaces, which a plain collection does not. Within a tick, so that one tick object is alive: when
  // there is none, V8 forgets its shape, and from then on `process.nextTick`, which each answer needs seven times, takes
  // ten times as long.
  process.nextTick(() => collect({ type: "major", execution: "sync", flavor: "last-resort" }))
}).pipe(Effect.delay(afterMillis), Effect.forkScoped, Effect.asVoid)
