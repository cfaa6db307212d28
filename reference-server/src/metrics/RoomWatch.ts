/** Warns in the log when a store is nearly full, once, and says when it has room again. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { every } from "../process/Every.ts"

/** A store and how full it is, in bytes. */
export interface Room {
  /** For people: "mail", "the disk of the database". */
  readonly name: string
  readonly used: number
  readonly limit: number
  /** The flag that gives it more, where one does. */
  readonly flag?: string
}

const warnAbove = 0.8
/** Below this it counts as having room again, so that a store at the edge does not fill the log. */
const clearBelow = 0.75
const everyMillis = 30_000

/** Compares rooms with their limits until the scope closes. */
export const watch = <E, R>(
  rooms: Effect.Effect<ReadonlyArray<Room>, E, R>
): Effect.Effect<void, never, R | Scope.Scope> => {
  const full = new Set<string>()
  const check = Effect.fnUntraced(function* ({ flag, limit, name, used }: Room) {
    const share = used / limit
    const annotated = Effect.annotateLogs({
      store: name,
      percent: Math.floor(share * 100),
      usedBytes: used,
      limitBytes: limit,
      ...(flag === undefined ? {} : { flag })
    })
    if (share > warnAbove && !full.has(name)) {
      full.add(name)
      yield* annotated(Effect.logWarning("a store is nearly full"))
    } else if (share < clearBelow && full.delete(name)) {
      yield* annotated(Effect.logInfo("a store has room again"))
    }
  })
  // A store that cannot be asked is reported elsewhere.
  return every(
    everyMillis,
    "stores not compared with their limits",
    Effect.ignore(Effect.flatMap(rooms, Effect.forEach(check)))
  )
}
