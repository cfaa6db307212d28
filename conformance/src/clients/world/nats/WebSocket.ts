/** The server's side of RFC 6455, as much as NATS needs: binary messages, ping and close, no extensions. */
import { createHash } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import type { Wire } from "./Wire.ts"

const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const frame = (opcode: number, payload: Uint8Array): Uint8Array => {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  if (length < 126) head[1] = length
  else if (length < 65_536) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, payload])
}

/** Answers an upgrade, and gives the connection as a stream of bytes. */
export const accept = (request: IncomingMessage, socket: Duplex, first: Uint8Array): Wire => {
  const key = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${magic}`).digest("base64")
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`
  )
  let kept = Buffer.from(first)
  let take: (bytes: Uint8Array) => void = () => undefined

  const parse = () => {
    while (kept.length >= 2) {
      const opcode = kept[0]! & 15
      const short = kept[1]! & 127
      const sizeEnd = short < 126 ? 2 : short === 126 ? 4 : 10
      if (kept.length < sizeEnd + 4) return
      const length = short < 126 ? short : short === 126 ? kept.readUInt16BE(2) : Number(kept.readBigUInt64BE(2))
      const begin = sizeEnd + 4
      if (kept.length < begin + length) return
      const mask = kept.subarray(sizeEnd, begin)
      const payload = Buffer.from(kept.subarray(begin, begin + length))
      for (let index = 0; index < length; index++) payload[index]! ^= mask[index & 3]!
      kept = kept.subarray(begin + length)
      if (opcode <= 2) take(payload)
      else if (opcode === 9) socket.write(frame(10, payload))
      else if (opcode === 8) socket.end(frame(8, payload.subarray(0, 2)))
    }
  }
  socket.on("error", () => undefined)
  return {
    read: (onBytes, onEnd) => {
      take = onBytes
      socket.on("data", (bytes: Buffer) => {
        kept = Buffer.concat([kept, bytes])
        parse()
      })
      socket.on("close", onEnd)
      parse()
    },
    write: (bytes) => void (socket.destroyed || socket.write(frame(2, bytes))),
    end: () => socket.end(frame(8, new Uint8Array(0))),
    destroy: () => socket.destroy()
  }
}
