/** The keys of a LocalStore in memory, in the order of their UTF-8 bytes. Plain and synchronous: every read asks it. */
import { prefixEnd, type Range } from "../../services/LocalStore.ts"
import type { Staged } from "./Staging.ts"

type Compare = (a: string, b: string) => number

/** As the engine compares, by UTF-16 units: many times faster for keys that begin alike. */
const compareUnits: Compare = (a, b) => (a < b ? -1 : a === b ? 0 : 1)

/** Compares as UTF-8 bytes do: by code points. */
const compareCodePoints: Compare = (a, b) => {
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

/** Units that sort differently from their code points, among themselves. */
const highUnits = /[\ud800-\uffff]/

/** Above this many changes, one merge of all keys is faster than moving the end of the list for each change. */
const fewChanges = 16

export class SortedKeys {
  #keys: Array<string>
  readonly #present: Set<string>
  /** Both orders are the same as long as no key has a high unit, whatever is looked for. */
  #compare: Compare

  /** `keys` are already in order. */
  constructor(keys: Array<string> = []) {
    this.#keys = keys
    this.#present = new Set(keys)
    this.#compare = keys.some((key) => highUnits.test(key)) ? compareCodePoints : compareUnits
  }

  /** Index of the first key, at or after `low`, that is not smaller than `key`. */
  #lowerBound(key: string, low = 0): number {
    const keys = this.#keys
    const compare = this.#compare
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(keys[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  has(key: string): boolean {
    return this.#present.has(key)
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
      if (value === undefined) {
        if (this.#present.delete(key)) removed.add(key)
      } else if (!this.#present.has(key)) added.push(key)
    }
    for (const key of added) this.#present.add(key)
    if (added.some((key) => highUnits.test(key))) this.#compare = compareCodePoints
    if (added.length + removed.size <= fewChanges) {
      for (const key of removed) this.#keys.splice(this.#lowerBound(key), 1)
      for (const key of added) this.#keys.splice(this.#lowerBound(key), 0, key)
      return
    }
    added.sort(this.#compare)
    const keys = this.#keys
    const merged: Array<string> = []
    let next = 0
    const copyTo = (end: number) => {
      for (; next < end; next++) if (!removed.has(keys[next]!)) merged.push(keys[next]!)
    }
    for (const key of added) {
      // Most new keys follow one another.
      if (next < keys.length && this.#compare(keys[next]!, key) < 0) copyTo(this.#lowerBound(key, next + 1))
      merged.push(key)
    }
    copyTo(keys.length)
    this.#keys = merged
  }
}
