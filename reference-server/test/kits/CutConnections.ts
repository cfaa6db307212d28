/** A broker that lets everybody in and ends each connection at its first subscription. */
import { once } from "node:events"
import { createServer, type AddressInfo } from "node:net"

const info = {
  server_id: "x",
  version: "2.15.1",
  proto: 1,
  headers: true,
  max_payload: 1_048_576,
  nonce: "abcDEF012-_xyz0"
}

export const cutsAfterLogin = async () => {
  let dials = 0
  const server = createServer((socket) => {
    dials += 1
    socket.on("error", () => undefined)
    socket.write(`INFO ${JSON.stringify(info)}\r\n`)
    socket.on("data", (bytes) => {
      if (bytes.includes("SUB ")) socket.destroy()
      else if (bytes.includes("PING")) socket.write("PONG\r\n")
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dials: () => dials,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close")
      server.close()
      await closed
    }
  }
}
