/** How NATS lies in the bytes of a connection: as it is, or in the frames of a WebSocket. */

interface Piece {
  readonly bytes: Buffer
  /** Passed on as it is: the handshake, and frames that are not of data. */
  readonly isRaw: boolean
}

export interface Codec {
  fromClient(bytes: Buffer): ReadonlyArray<Piece>
  fromServer(bytes: Buffer): ReadonlyArray<Piece>
  toClient(bytes: Buffer): Buffer
  toServer(bytes: Buffer): Buffer
}

const asItIs = (bytes: Buffer): ReadonlyArray<Piece> => [{ bytes, isRaw: false }]

export const plain: Codec = {
  fromClient: asItIs,
  fromServer: asItIs,
  toClient: (bytes) => bytes,
  toServer: (bytes) => bytes
}

/** One binary frame; a client's is masked, here with zeros, which change nothing. */
const framed = (bytes: Buffer, isMasked: boolean): Buffer => {
  const mask = isMasked ? 0x80 : 0
  const head =
    bytes.length < 126
      ? Buffer.of(0x82, mask | bytes.length)
      : bytes.length < 65_536
        ? Buffer.of(0x82, mask | 126, bytes.length >> 8, bytes.length & 255)
        : Buffer.concat([Buffer.of(0x82, mask | 127), Buffer.alloc(8)])
  if (bytes.length >= 65_536) head.writeBigUInt64BE(BigInt(bytes.length), 2)
  return Buffer.concat([head, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), bytes])
}

/** Reads the handshake and then frames. */
const makeUnwrap = () => {
  let buffered: Buffer = Buffer.alloc(0)
  let isOpen = false
  const next = (): Piece | undefined => {
    if (!isOpen) {
      const end = buffered.indexOf("\r\n\r\n")
      if (end < 0) return undefined
      isOpen = true
      return taken(end + 4, buffered.subarray(0, end + 4), true)
    }
    if (buffered.length < 2) return undefined
    const [first = 0, second = 0] = buffered
    const short = second & 127
    const sized = short === 126 ? 4 : short === 127 ? 10 : 2
    const start = sized + ((second & 128) === 0 ? 0 : 4)
    if (buffered.length < start) return undefined
    const length =
      short === 126 ? buffered.readUInt16BE(2) : short === 127 ? Number(buffered.readBigUInt64BE(2)) : short
    if (buffered.length < start + length) return undefined
    // Opcodes from 8 on are of the connection itself.
    if ((first & 15) >= 8) return taken(start + length, buffered.subarray(0, start + length), true)
    const mask = buffered.subarray(sized, start)
    const bytes = Buffer.from(buffered.subarray(start, start + length))
    if (mask.length > 0) for (let i = 0; i < length; i++) bytes[i]! ^= mask[i & 3]!
    return taken(start + length, bytes, false)
  }
  const taken = (length: number, bytes: Buffer, isRaw: boolean): Piece => {
    const piece = { bytes: Buffer.from(bytes), isRaw }
    buffered = buffered.subarray(length)
    return piece
  }
  return (bytes: Buffer): ReadonlyArray<Piece> => {
    buffered = Buffer.concat([buffered, bytes])
    const pieces: Array<Piece> = []
    for (let piece = next(); piece !== undefined; piece = next()) pieces.push(piece)
    return pieces
  }
}

export const webSocket = (): Codec => ({
  fromClient: makeUnwrap(),
  fromServer: makeUnwrap(),
  toClient: (bytes) => framed(bytes, false),
  toServer: (bytes) => framed(bytes, true)
})
