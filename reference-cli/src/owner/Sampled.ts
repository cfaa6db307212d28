/** Samples progress: items that repeat the previous kind too soon are dropped, all others pass. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Interval of progress items in milliseconds: faster than a person sees, slow enough to cost nothing. */
export const sampleMillis = 100

/** Passes items of one `kind` at most every {@link sampleMillis}, and always another kind or an item without one. */
export const sampled = <A, E, R>(
  stream: Stream.Stream<A, E, R>,
  kind: (item: A) => string | undefined
): Stream.Stream<A, E, R> =>
  Stream.suspend(() => {
    let last: string | undefined
    let passedAt = -Infinity
    return Stream.filterEffect(stream, (item) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const like = kind(item)
        if (like !== undefined && like === last && now - passedAt < sampleMillis) return false
        last = like
        passedAt = now
        return true
      })
    )
  })
