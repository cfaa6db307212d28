/** A NATS broker of one process, on loopback, over TCP and WebSocket. */
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, createServer } from "node:net"
import type { Duplex } from "node:stream"
import { type NatsHandlers, NatsPeer } from "./NatsPeer.ts"
import { accept } from "./WebSocket.ts"
import { overTcp, type Wire } from "./Wire.ts"

export class NatsServer {
  readonly peers = new Set<NatsPeer>()
  /** New connections are closed at once while this is false. */
  isUp = true
  /** The same for those over TCP. */
  isTcpUp = true
  readonly #handlers: NatsHandlers
  readonly #tcp = createServer((socket) => this.#admit(overTcp(socket), false))
  readonly #http = createHttpServer((_, response) => response.writeHead(400).end())

  constructor(handlers: NatsHandlers) {
    this.#handlers = handlers
    this.#http.on("upgrade", (request, socket: Duplex, first: Uint8Array) =>
      this.#admit(accept(request, socket, first), true)
    )
  }

  async listen(): Promise<void> {
    await Promise.all(
      [this.#tcp, this.#http].map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)))
    )
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  of(account: string): ReadonlyArray<NatsPeer> {
    return [...this.peers].filter((peer) => peer.account === account)
  }

  /** Cuts every connection, without a word. */
  dropAll(): void {
    for (const peer of this.peers) peer.drop()
  }

  close(): void {
    this.isUp = false
    this.dropAll()
    this.#tcp.close()
    this.#http.close()
    this.#http.closeAllConnections()
  }

  #admit(wire: Wire, isWeb: boolean): void {
    if (!this.isUp || (!isWeb && !this.isTcpUp)) return wire.destroy()
    const ended = (peer: NatsPeer) => {
      this.peers.delete(peer)
      this.#handlers.ended(peer)
    }
    const peer = new NatsPeer(wire, { ...this.#handlers, ended }, isWeb)
    this.peers.add(peer)
  }
}
