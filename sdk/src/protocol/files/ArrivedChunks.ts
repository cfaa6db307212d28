import { chunkBytes } from "./Blake3.ts"
import { groupChunks } from "./Blake3Tree.ts"
import { chunkCount, type ChunkRanges, range } from "./ChunkRanges.ts"

/** The received chunks of one blob. Memory grows with the number of gaps, not with the size that a stranger claims. */
export class ArrivedChunks {
  private readonly size: number
  /** Strictly rising boundaries, as in `ChunkRanges`; an even count. */
  private readonly boundaries: Array<number> = []

  /** `size` of the blob in bytes. */
  constructor(size: number) {
    this.size = size
  }

  /** Adds the chunks of `length` bytes at `offset`, whole chunks of the blob: see `BlobAnswer.belongs`. */
  add(offset: number, length: number): void {
    this.insert(offset / chunkBytes, this.size === 0 ? 1 : Math.ceil((offset + length) / chunkBytes))
  }

  private insert(start: number, end: number): void {
    const { boundaries } = this
    // Replaces all boundaries from `start` to `end`, touching neighbours included; an odd index is inside a range.
    const from = this.firstFrom(start)
    let to = from
    while (to < boundaries.length && (boundaries[to] as number) <= end) to++
    const put: Array<number> = []
    if (from % 2 === 0) put.push(start)
    if (to % 2 === 0) put.push(end)
    boundaries.splice(from, to - from, ...put)
  }

  /** Index of the first boundary at or above a chunk. */
  private firstFrom(chunk: number): number {
    let low = 0
    let high = this.boundaries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.boundaries[middle] as number) < chunk) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The complete groups of 16 chunks, as chunks. */
  get groups(): ChunkRanges {
    const last = chunkCount(this.size)
    const whole: Array<number> = []
    for (let i = 0; i < this.boundaries.length; i += 2) {
      const start = Math.ceil((this.boundaries[i] as number) / groupChunks) * groupChunks
      const until = this.boundaries[i + 1] as number
      const end = until === last ? last : Math.floor(until / groupChunks) * groupChunks
      whole.push(...range(start, end).boundaries)
    }
    return { boundaries: whole }
  }

  get isWhole(): boolean {
    return this.boundaries.length === 2 && this.boundaries[0] === 0 && this.boundaries[1] === chunkCount(this.size)
  }
}
