/** Cuts a stream of byte strings into pieces of equal length, holding back the last one until the end. */
export class Pieces {
  private readonly pending: Uint8Array
  private filled = 0

  /** `length` is the size of every piece but the last, in bytes. */
  constructor(length: number) {
    this.pending = new Uint8Array(length)
  }

  /** The pieces known not to be the last, to be taken before the next `push`. Each is a view, valid until the next. */
  *push(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    const { length } = this.pending
    let at = 0
    while (at < bytes.length) {
      if (this.filled === length) {
        yield this.pending
        this.filled = 0
      }
      if (this.filled === 0 && bytes.length - at > length) {
        yield bytes.subarray(at, at + length)
        at += length
        continue
      }
      const taken = Math.min(length - this.filled, bytes.length - at)
      this.pending.set(bytes.subarray(at, at + taken), this.filled)
      this.filled += taken
      at += taken
    }
  }

  /** The last piece, empty only if nothing was pushed. A view. */
  rest(): Uint8Array {
    return this.pending.subarray(0, this.filled)
  }
}
