/** Reads a page of an inbox as the specification lays it out (spec: broker, Fetch). */
import { Violation } from "../Outcome.ts"

export interface Frame {
  readonly seq: number
  readonly timeMillis: number
  readonly frame: Buffer
}

export interface Page {
  /** base64url. */
  readonly epoch: string
  readonly lastSeq: number
  readonly pending: number
  readonly frames: ReadonlyArray<Frame>
  readonly bytes: number
}

const headBytes = 79
const entryBytes = 20
export const maxPageBytes = 1_048_576
export const maxPageFrames = 512

/** A page for this account and this nonce. */
export const readPage = (bytes: Buffer, hex: string, nonce: Buffer): Page => {
  const holds = (condition: boolean, message: string): void => {
    if (!condition) {
      const shown = bytes.length <= 200 ? bytes.toString("latin1") : `${bytes.length} bytes`
      throw new Violation(`the page of a fetch is malformed: ${message}`, undefined, shown)
    }
  }
  holds(bytes.length >= headBytes && bytes[0] === 1, "it is not a page of version 1")
  holds(bytes.length <= maxPageBytes, `it has ${bytes.length} bytes`)
  holds(bytes.subarray(17, 49).toString("hex") === hex, "it names another account")
  holds(bytes.subarray(49, 65).equals(nonce), "it has another n than the request")
  const lastSeq = Number(bytes.readBigUInt64BE(65))
  const count = bytes.readUInt16BE(77)
  holds(count <= maxPageFrames, `it has ${count} frames`)
  const frames: Array<Frame> = []
  let at = headBytes
  for (let i = 0; i < count; i++) {
    holds(bytes.length >= at + entryBytes, "it ends within a frame")
    const seq = Number(bytes.readBigUInt64BE(at))
    const length = bytes.readUInt32BE(at + 16)
    holds(seq > (frames.at(-1)?.seq ?? 0), "its sequence numbers do not ascend")
    holds(seq <= lastSeq, `sequence number ${seq} is greater than last_seq ${lastSeq}`)
    holds(length >= 1 && length <= 65_536, `a frame of ${length} bytes`)
    holds(bytes.length >= at + entryBytes + length, "it ends within a frame")
    const timeMillis = Number(bytes.readBigUInt64BE(at + 8))
    frames.push({ seq, timeMillis, frame: bytes.subarray(at + entryBytes, at + entryBytes + length) })
    at += entryBytes + length
  }
  holds(at === bytes.length, "there is something after its frames")
  return {
    epoch: bytes.subarray(1, 17).toString("base64url"),
    lastSeq,
    pending: bytes.readUInt32BE(73),
    frames,
    bytes: bytes.length
  }
}
