/** Somebody's device on the network of files: raw streams over Iroh, on this machine alone, without relays. */
import type * as Iroh from "@number0/iroh/index.js"
import { NotChecked } from "../../servers/Outcome.ts"
import { concat, hex, utf8 } from "../crypto/Bytes.ts"
import type { Keys, Reader } from "../crypto/Keys.ts"

type Binding = typeof Iroh.default

const alpn = [...utf8("/iroh-bytes/4")]

/** Does not keep the process from ending. */
const pause = (millis: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, millis).unref())

const load = async (): Promise<Binding> => {
  try {
    // The package's main entry does not exist, and Node warns of that.
    return (await import("@number0/iroh/index.js")).default
  } catch {
    throw new NotChecked("not-applicable", "the suite moves files over @number0/iroh, which is not installed here")
  }
}

/** What came of a request: the bytes of the answer, and how it ended. */
export interface Received {
  readonly bytes: Uint8Array
  /** `end`, `reset 1`, `lost` with the connection, or `silent` where nothing came for a while. */
  readonly ended: string
}

/** The other end of a stream that a client opened. */
export interface Answering {
  readonly peer: string
  /** Rejects where the peer wants no more. */
  write(bytes: Uint8Array): Promise<void>
  end(): Promise<void>
  reset(code: number): Promise<void>
}

export type Answerer = (request: Uint8Array, stream: Answering) => Promise<void>

const endOf = (error: unknown): string => {
  const [, code] = /\b(?:Reset|Stopped)\((\d+)\)/.exec(String((error as Error).message ?? error)) ?? []
  return code === undefined ? "lost" : `reset ${code}`
}

const readAll = async (recv: Iroh.RecvStream, limit: number, millis: number): Promise<Received> => {
  const parts: Array<Uint8Array> = []
  let length = 0
  while (length < limit) {
    const read = recv.read(65_536).then((piece) => Uint8Array.from(piece), endOf)
    const piece = await Promise.race([read, pause(millis).then(() => "silent")])
    if (typeof piece === "string") return { bytes: concat(...parts), ended: piece }
    if (piece.length === 0) return { bytes: concat(...parts), ended: "end" }
    parts.push(piece)
    length += piece.length
  }
  return { bytes: concat(...parts), ended: "endless" }
}

/** How long a stream may rest, and how much an answer may have. */
const restMillis = 8_000
const answerBytes = 4 * 1_048_576

export class Link {
  readonly #connection: Iroh.Connection
  /** How an answer is read; a test of the suite has a right client look wrong by it. */
  readonly #read: (received: Received) => Received
  /** A stream that nobody holds is finished when its object is collected. */
  readonly #kept: Array<unknown> = []

  constructor(connection: Iroh.Connection, read: (received: Received) => Received) {
    this.#connection = connection
    this.#read = read
  }

  /** Sends bytes as a request, ends it unless it is to stay unfinished, and reads the answer. */
  async ask(request: Uint8Array, { isUnfinished = false, millis = restMillis } = {}): Promise<Received> {
    const answered = async (): Promise<Received> => {
      const { recv, send } = await this.#connection.openBi()
      this.#kept.push(send, recv)
      try {
        await send.writeAll([...request])
        if (!isUnfinished) await send.finish()
      } catch {
        // A refusal may come before the request is whole; the answer tells.
      }
      return readAll(recv, answerBytes, millis)
    }
    const nothing = { bytes: new Uint8Array(0) }
    const late = pause(millis + restMillis).then(() => ({ ...nothing, ended: "silent" }))
    return this.#read(await Promise.race([answered().catch((error) => ({ ...nothing, ended: endOf(error) })), late]))
  }

  close(): void {
    this.#connection.close(0n, [])
  }
}

export class IrohPeer {
  /** Requests of others, in the order in which they came. */
  readonly requests: Array<Uint8Array> = []
  answer: Answerer = (_, stream) => stream.reset(1)
  readonly #binding: Binding
  readonly #endpoint: Iroh.Endpoint
  readonly #kept: Array<unknown> = []

  private constructor(binding: Binding, endpoint: Iroh.Endpoint) {
    this.#binding = binding
    this.#endpoint = endpoint
    void this.#accept().catch(() => undefined)
  }

  static async open(keys: Keys): Promise<IrohPeer> {
    const binding = await load()
    const builder = binding.Endpoint.builder()
    binding.presetMinimal(builder)
    builder.relayMode(binding.RelayMode.disabled())
    builder.alpns([alpn])
    builder.secretKey([...keys.seed])
    return new IrohPeer(binding, await builder.bind())
  }

  /** As `ip:port`. */
  get addresses(): ReadonlyArray<string> {
    return this.#endpoint.addr().directAddresses()
  }

  async dial(
    to: Reader,
    addresses: ReadonlyArray<string>,
    read: (received: Received) => Received = (received) => received
  ): Promise<Link> {
    const id = this.#binding.EndpointId.fromBytes([...to.ed25519])
    const address = new this.#binding.EndpointAddr(id, undefined, [...addresses])
    const late = pause(restMillis).then(() => Promise.reject(new Error("the client's device was not reached")))
    return new Link(await Promise.race([this.#endpoint.connect(address, alpn), late]), read)
  }

  close(): Promise<void> {
    return this.#endpoint.close()
  }

  async #accept(): Promise<void> {
    for (let next = await this.#endpoint.acceptNext(); next !== null; next = await this.#endpoint.acceptNext()) {
      const arriving = next
      void this.#receive(arriving).catch(() => undefined)
    }
  }

  async #receive(arriving: Iroh.Incoming): Promise<void> {
    const connection = await (await arriving.accept()).connect()
    this.#kept.push(connection)
    const peer = hex(Uint8Array.from(connection.remoteId().toBytes()))
    for (;;) {
      const stream = await connection.acceptBi()
      void this.#serve(peer, stream).catch(() => undefined)
    }
  }

  async #serve(peer: string, { recv, send }: Iroh.BiStream): Promise<void> {
    this.#kept.push(recv, send)
    const { bytes } = await readAll(recv, answerBytes, restMillis)
    this.requests.push(bytes)
    await this.answer(bytes, {
      peer,
      write: (piece) => send.writeAll([...piece]),
      end: () => send.finish(),
      reset: (code) => send.reset(BigInt(code))
    })
  }
}
