/** The bytes of a connection to a broker: TCP, TLS over it, or WebSocket. */
import { connect as dial, type Socket } from "node:net"
import { connect as dialTls } from "node:tls"

export interface Wire {
  write(bytes: Uint8Array): void
  /** Stops or goes on reading; only where there is a socket. */
  pause(paused: boolean): void
  close(): void
}

export interface Handlers {
  onBytes(bytes: Buffer): void
  onClose(): void
}

const wireOf = (socket: Socket, { onBytes, onClose }: Handlers): Wire => {
  socket.setNoDelay(true)
  socket.on("data", onBytes)
  socket.on("close", onClose)
  return {
    write: (bytes) => void socket.write(bytes),
    pause: (paused) => void (paused ? socket.pause() : socket.resume()),
    close: () => void socket.destroy()
  }
}

const opened = <S extends Socket>(socket: S, event: "connect" | "secureConnect"): Promise<S> =>
  new Promise((resolve, reject) => {
    // Also later errors, each of which is followed by "close".
    socket.on("error", reject)
    socket.once(event, () => resolve(socket))
  })

/**
 * A NATS server writes INFO in the clear; where it asks for TLS, or the URL does, the rest is encrypted. Anything after
 * INFO that came in the clear would be dropped, and nothing does come.
 */
export const openTcp = async (url: URL, handlers: Handlers): Promise<Wire> => {
  const host = url.hostname.replace(/^\[|\]$/g, "")
  const socket = await opened(dial(Number(url.port || 4222), host), "connect")
  const first = await new Promise<Buffer>((resolve, reject) => {
    let text = Buffer.alloc(0)
    const take = (bytes: Buffer) => {
      text = Buffer.concat([text, bytes])
      if (!text.includes("\r\n") && text.length < 65_536) return
      socket.off("data", take)
      socket.pause()
      resolve(text)
    }
    socket.on("data", take)
    socket.once("close", () => reject(new Error("closed before INFO")))
  })
  if (url.protocol !== "tls:" && !/"tls_required":\s*true/.test(first.toString("latin1"))) {
    const wire = wireOf(socket, handlers)
    handlers.onBytes(first)
    socket.resume()
    return wire
  }
  // A name of an address is none.
  const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
  const secured = await opened(dialTls({ socket, ...servername }), "secureConnect")
  const wire = wireOf(secured, handlers)
  handlers.onBytes(first)
  return wire
}

/** With the `Origin` of a page, where one is given. */
export const openWebSocket = (url: URL, { onBytes, onClose }: Handlers, origin: string | undefined): Promise<Wire> =>
  new Promise((resolve, reject) => {
    // Node's WebSocket takes headers here, which browsers do not; the DOM's types know only the browsers'.
    const init = { headers: origin === undefined ? {} : { origin } }
    const socket = new WebSocket(url, init as unknown as Array<string>)
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () =>
      resolve({
        write: (bytes) => socket.send(Uint8Array.from(bytes)),
        pause: () => undefined,
        close: () => socket.close()
      })
    )
    socket.addEventListener("message", ({ data }) => onBytes(Buffer.from(data as ArrayBuffer)))
    socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")))
    socket.addEventListener("close", onClose)
  })
