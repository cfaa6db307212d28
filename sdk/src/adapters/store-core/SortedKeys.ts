/** The keys of a LocalStore in memory, in the order of their UTF-8 bytes. Plain and synchronous: every read asks it. */
import { prefixEnd, type Range } from "../../services/LocalStore.ts"
import type { Staged } from "./Staging.ts"

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

/** Above this many changes, one merge of all keys is faster than moving the end of the list for each change. */
const fewChanges = 16

export class SortedKeys {
  #keys: Array<string>

  /** `keys` are already in order. */
  constructor(keys: Array<string> = []) {
    this.#keys = keys
  }

  /** Index of the first key that is not smaller than `key`. */
  #lowerBound(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(this.#keys[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  has(key: string): boolean {
    return this.#keys[this.#lowerBound(key)] === key
  }

  /** The keys of a range in its direction; without `reverse` or `limit`, neighbours in the list. */
  range(range: Range): ReadonlyArray<string> {
    const keys = this.#keys
    const end = prefixEnd(range.prefix)
    let from = this.#lowerBound(range.prefix)
    let to = end === undefined ? keys.length : this.#lowerBound(end)
    if (range.after !== undefined) {
      const at = this.#lowerBound(range.after)
      from = Math.max(from, keys[at] === range.after ? at + 1 : at)
    }
    if (range.before !== undefined) to = Math.min(to, this.#lowerBound(range.before))
    const count = Math.max(0, Math.min(to - from, range.limit ?? Infinity))
    return range.reverse === true ? keys.slice(to - count, to).toReversed() : keys.slice(from, from + count)
  }

  /** Adds the keys that have a value and removes those that have none. */
  apply(staged: Staged): void {
    const added: Array<string> = []
    const removed = new Set<string>()
    for (const [key, value] of staged) {
      const present = this.has(key)
      if (value === undefined && present) removed.add(key)
      if (value !== undefined && !present) added.push(key)
    }
    if (added.length + removed.size <= fewChanges) {
      for (const key of removed) this.#keys.splice(this.#lowerBound(key), 1)
      for (const key of added) this.#keys.splice(this.#lowerBound(key), 0, key)
      return
    }
    added.sort(compare)
    const merged: Array<string> = []
    let next = 0
    for (const key of this.#keys) {
      while (next < added.length && compare(added[next]!, key) < 0) merged.push(added[next++]!)
      if (!removed.has(key)) merged.push(key)
    }
    while (next < added.length) merged.push(added[next++]!)
    this.#keys = merged
  }
}
