/** The device of somebody in the suite's world: it gives files to the client under test, right or wrong, and asks for its. */
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Client, Refused } from "../../Client.ts"
import { base64Url, hex } from "../../crypto/Bytes.ts"
import { type OwnFile, readRequest } from "../../crypto/Blobs.ts"
import { Reader } from "../../crypto/Keys.ts"
import { sealEntry, signManifest, bytesOf } from "../../crypto/Manifests.ts"
import { openFrame, timeOf } from "../../crypto/Messages.ts"
import { equals, holds, until } from "../../Expect.ts"
import { type Answering, IrohPeer, type Link } from "../../world/IrohPeer.ts"
import type { Person } from "../../world/Person.ts"
import type { World } from "../../world/World.ts"

/** Writes an answer; `honest` are the bytes that a right one has. */
export type Serves = (stream: Answering, honest: Uint8Array) => Promise<void>

export const honestly: Serves = async (stream, honest) => {
  await stream.write(honest)
  await stream.end()
}

export class PeerDevice {
  readonly peer: IrohPeer
  readonly person: Person
  /** How the next requests are answered. */
  serves: Serves = honestly
  /** The chunks that were asked for, by their boundaries, in the order of the requests. */
  readonly asked: Array<ReadonlyArray<number>> = []
  readonly #world: World
  #files: ReadonlyArray<OwnFile> = []

  private constructor(world: World, person: Person, peer: IrohPeer) {
    this.#world = world
    this.person = person
    this.peer = peer
    world.devices.push(peer)
    peer.answer = (request, stream) => this.#answer(request, stream)
    const store = world.broker.store.bind(world.broker)
    world.broker.store = (account, frame, ...rest) => {
      if (account === person.keys.hex) setTimeout(() => this.#tell(frame), 0)
      return store(account, frame, ...rest)
    }
  }

  static async open(world: World, person: Person): Promise<PeerDevice> {
    return new PeerDevice(world, person, await IrohPeer.open(person.keys))
  }

  /** Lists files for a reader; the ids of their entries. */
  shares(files: ReadonlyArray<OwnFile>, reader: Reader): ReadonlyArray<string> {
    this.#files = files
    const { keys } = this.person
    const entries = files.map(({ file }) => sealEntry(keys, [keys, reader], file))
    this.#world.home.putManifest(keys.hex, bytesOf(signManifest(keys, 1, entries)), 1)
    return entries.map(({ id }) => id)
  }

  /** Asks a client for the addresses of its device. */
  async addressesOf(alice: Client): Promise<ReadonlyArray<string>> {
    const nonce = base64Url(randomBytes(16))
    this.person.send(alice.keys, "", { body: { text: undefined, type: "address_request", nonce } })
    const found = await until(
      async () => {
        await alice.sync(2_000)
        return this.person.received.find(({ body }) => body["type"] === "address" && body["nonce"] === nonce)
      },
      (answer) => answer !== undefined,
      "the client does not answer with the addresses of its device",
      20_000
    )
    return found!.body["addrs"] as ReadonlyArray<string>
  }

  async dial(alice: Client, addresses: ReadonlyArray<string>): Promise<Link> {
    return this.peer.dial(alice.keys, addresses, (received) => this.#world.readAnswer(received))
  }

  /** Answers a request for addresses. */
  #tell(frame: Uint8Array): void {
    const { body, envelope } = openFrame(this.person.keys, frame) ?? {}
    if (body?.["type"] !== "address_request" || envelope === undefined) return
    const addrs = this.peer.addresses.slice(0, 32)
    const expires_at = timeOf(this.#world.now() + 300_000)
    const address = { text: undefined, type: "address", nonce: body["nonce"], addrs, expires_at }
    this.person.send(Reader.of(String(envelope.payload["from"])), "", { body: address })
  }

  async #answer(request: Uint8Array, stream: Answering): Promise<void> {
    const read = readRequest(request)
    const found = this.#files.find(({ blob }) => hex(blob.hash) === read?.hash)
    if (read === undefined || found === undefined) return stream.reset(1)
    this.asked.push(read.boundaries)
    await this.serves(stream, read.boundaries.length === 0 ? new Uint8Array(0) : found.blob.answer(read.boundaries))
  }
}

export interface Saved {
  readonly saved: ReadonlyArray<{ readonly entry: string; readonly path: string }>
}

/** Has the client fetch and save files, for a bounded time. */
export const fetch = (
  alice: Client,
  owner: Person,
  entries: ReadonlyArray<string>,
  folder: string,
  millis: number
): Promise<Saved | Refused> => alice.tries<Saved>("client.fetch", { who: owner.handle, entries, folder, millis })

/** What is saved below a folder by the paths, hidden drafts of clients left out. */
export const filesIn = (folder: string): ReadonlyMap<string, Uint8Array> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".part"))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [path.slice(folder.length + 1), new Uint8Array(readFileSync(path))]
      })
  )

/** What was saved is what was shared, and nothing else was. */
export const savedRight = (answer: Saved | Refused, entry: string, { content }: OwnFile, folder: string): void => {
  const path = (answer as Saved).saved?.find((one) => one.entry === entry)?.path
  holds(path !== undefined, "the file was not saved", answer)
  const files = filesIn(folder)
  equals([...files.keys()], [path], "the files in the folder")
  holds(Buffer.compare(files.get(path!)!, content) === 0, "what was saved is not what was shared")
}
