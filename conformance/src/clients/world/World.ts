/** A home, a sig-server and a broker of one check: everything in memory, on ports of their own. */
import { Broker } from "./Broker.ts"
import { HomeServer } from "./HomeServer.ts"
import { HttpHost, problem } from "./HttpHost.ts"
import { base64Url, concat, fromBase64Url, fromHex, utf8 } from "../crypto/Bytes.ts"
import { sealTo } from "../crypto/Hpke.ts"
import type { Keys, Reader } from "../crypto/Keys.ts"
import { fileOf } from "../crypto/Manifests.ts"
import type { Payload } from "../crypto/Messages.ts"
import type { IrohPeer, Received } from "./IrohPeer.ts"
import { Person } from "./Person.ts"
import type { Seen } from "../Secrets.ts"
import { SigServer } from "./SigServer.ts"

export class World {
  readonly home: HomeServer
  readonly sig: SigServer
  readonly broker: Broker
  /** Somewhere that no client has a reason to ask. */
  readonly elsewhere: HttpHost
  readonly people: Array<Person> = []
  /** How far the clock of the world is ahead of the machine's, in milliseconds. */
  clockSkew = 0
  /** Closed with the world. */
  readonly devices: Array<IrohPeer> = []
  /** How the world reads what a client's device answers; a test of the suite has a right client look wrong by it. */
  readAnswer: (received: Received) => Received = (received) => received

  private constructor(server: string) {
    const now = () => this.now()
    this.home = new HomeServer(server, now)
    this.sig = new SigServer(now)
    this.broker = new Broker({
      now,
      isRegistered: (account) => this.home.isRegistered(account),
      hasMoved: (account) => this.home.moved.has(account)
    })
    this.home.onMoved = (old) => {
      for (const peer of this.broker.nats.of(old)) peer.drop()
    }
    this.elsewhere = new HttpHost(() => problem(404, "not_found"), now)
  }

  static async begin(server = "home.test"): Promise<World> {
    const world = new World(server)
    const { broker, elsewhere, home, sig } = world
    await Promise.all([home.http.listen(), sig.http.listen(), elsewhere.listen(), broker.nats.listen()])
    home.urls = { tcp: [broker.nats.url], websocket: [broker.nats.webSocketUrl], sigServer: sig.http.url }
    return world
  }

  now(): number {
    return Date.now() + this.clockSkew
  }

  /** Somebody who is registered here. */
  person(local: string, keys?: Keys): Person {
    return this.stranger(local, keys).register()
  }

  /** Somebody who is not. */
  stranger(local: string, keys?: Keys): Person {
    const person = new Person(this, local, keys)
    this.people.push(person)
    return person
  }

  /** Everything that clients sent. */
  seen(): ReadonlyArray<Seen> {
    const asked = [this.home.http, this.sig.http, this.elsewhere].flatMap((host) =>
      host.asked.map(({ body, headers, method, path }) => ({
        where: `${method} ${path.slice(0, 60)}`,
        bytes: concat(utf8(`${path}\n${JSON.stringify(headers)}\n`), body)
      }))
    )
    const logins = this.broker.logins.map(({ connect }) => ({
      where: "a login at the broker",
      bytes: utf8(JSON.stringify(connect))
    }))
    const published = this.broker.asked.map(({ kezId, kind, payload }) => ({
      where: `a ${kind} to the broker`,
      bytes: concat(utf8(`${kezId}\n`), payload)
    }))
    // What is sealed to the suite's own people can be read as well.
    const sealed = this.people.flatMap(({ received }) =>
      received.map(({ bodyText }) => ({ where: "a message", bytes: utf8(bodyText) }))
    )
    return [...asked, ...logins, ...published, ...sealed]
  }

  /** Home and broker are out of reach, or are there again. */
  set isUp(up: boolean) {
    this.home.http.isUp = up
    this.sig.http.isUp = up
    this.broker.nats.isUp = up
    if (!up) this.broker.nats.dropAll()
  }

  /** The members of a `file_share` of somebody's file; nothing of the file exists. */
  offer(owner: Person, reader: Reader, relay?: string): Payload {
    const { blob_hash, content_key, name, ...file } = fileOf(owner.keys, "plan.txt", {}, relay)
    const blob = fromHex(blob_hash.replace("blake3:", ""))
    const wrap = (to: Reader) => {
      const aad = concat(blob, owner.keys.ed25519, to.ed25519)
      const { ct, enc } = sealTo(to, "kez.file.key/1", aad, fromBase64Url(content_key))
      return base64Url(concat(enc, ct))
    }
    return {
      type: "file_share",
      filename: name,
      media_type: file.media_type,
      size: file.size,
      blob_hash,
      ticket: file.ticket,
      wrapped_content_key: wrap(reader),
      self_wrapped_content_key: wrap(owner.keys)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.close()))
    for (const host of [this.home.http, this.sig.http, this.elsewhere]) host.close()
    this.broker.nats.close()
  }
}
