/** One connection of a client, over TCP or WebSocket. */
import type { Socket } from "node:net"

export interface Wire {
  read(onBytes: (bytes: Uint8Array) => void, onEnd: () => void): void
  write(bytes: Uint8Array): void
  end(): void
  destroy(): void
}

export const overTcp = (socket: Socket): Wire => {
  socket.setNoDelay(true)
  socket.on("error", () => undefined)
  return {
    read: (onBytes, onEnd) => {
      socket.on("data", onBytes)
      socket.on("close", onEnd)
    },
    write: (bytes) => void (socket.destroyed || socket.write(bytes)),
    end: () => socket.end(),
    destroy: () => socket.destroy()
  }
}
