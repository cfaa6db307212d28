/** A LocalStore in memory, for tests and programs that need no durability. Copies values; commits are atomic. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { LocalStore, prefixEnd, StoreConflict, type Entry, type Range, type Write } from "../../services/LocalStore.ts"

/** Compares as UTF-8 bytes do: by code points, not by UTF-16 units. */
const compare = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i)
    let y = b.charCodeAt(i)
    if (x === y) continue
    // Surrogates encode the highest code points, but as units they sort below U+E000..U+FFFF.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x2000 : x + 0x2000
      y = y >= 0xe000 ? y - 0x2000 : y + 0x2000
    }
    return x - y
  }
  return a.length - b.length
}

/** Index of the first key that is not smaller than `key`. */
const lowerBound = (keys: ReadonlyArray<string>, key: string): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(keys[middle]!, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** A new, empty store. Clients that share it see the same entries, like consecutive runs of one program. */
export const make = (): LocalStore["Service"] => {
  const values = new Map<string, Uint8Array>()
  const keys: Array<string> = []

  const scan = (range: Range): ReadonlyArray<Entry> => {
    const end = prefixEnd(range.prefix)
    let from = lowerBound(keys, range.prefix)
    let to = end === undefined ? keys.length : lowerBound(keys, end)
    if (range.after !== undefined) {
      const at = lowerBound(keys, range.after)
      from = Math.max(from, keys[at] === range.after ? at + 1 : at)
    }
    if (range.before !== undefined) to = Math.min(to, lowerBound(keys, range.before))
    const count = Math.max(0, Math.min(to - from, range.limit ?? Infinity))
    const found = range.reverse === true ? keys.slice(to - count, to).toReversed() : keys.slice(from, from + count)
    return found.map((key) => ({ key, value: values.get(key)!.slice() }))
  }

  const commit = (writes: ReadonlyArray<Write>): Effect.Effect<void, StoreConflict> => {
    const staged = new Map<string, Uint8Array | undefined>()
    for (const write of writes) {
      if (write.op === "delete") {
        staged.set(write.key, undefined)
        continue
      }
      const present = staged.has(write.key) ? staged.get(write.key) !== undefined : values.has(write.key)
      if (write.ifAbsent === true && present) return Effect.fail(new StoreConflict({ key: write.key }))
      staged.set(write.key, write.value.slice())
    }
    for (const [key, value] of staged) {
      const present = values.has(key)
      if (value === undefined) {
        if (present) keys.splice(lowerBound(keys, key), 1)
        values.delete(key)
      } else {
        if (!present) keys.splice(lowerBound(keys, key), 0, key)
        values.set(key, value)
      }
    }
    return Effect.void
  }

  return LocalStore.of({
    get: (key) => Effect.sync(() => Option.fromNullishOr(values.get(key)?.slice())),
    scan: (range) => Effect.sync(() => scan(range)),
    commit: (writes) => Effect.suspend(() => commit(writes)),
    sync: Effect.void
  })
}

/** Each built layer has its own store. */
export const layer: Layer.Layer<LocalStore> = Layer.sync(LocalStore, make)
