/** What one scenario plays in: a world of its own, a folder, and a shim that no other scenario uses meanwhile. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { whenInterrupted } from "../suite/Interrupt.ts"
import type { Feature, Response } from "../shim/Protocol.ts"
import { ShimFailure } from "../shim/ShimProcess.ts"
import { Client } from "./Client.ts"
import { utf8 } from "./crypto/Bytes.ts"
import { findSecret } from "./Secrets.ts"
import type { Keys } from "./crypto/Keys.ts"
import type { Person } from "./world/Person.ts"
import { World } from "./world/World.ts"

/** A shim that can be killed and started again. */
export interface Driver {
  ask(operation: string, args: Readonly<Record<string, unknown>>, test: string): Promise<Response>
  kill(): Promise<void>
  restart(): Promise<void>
}

export class Stage {
  readonly world: World
  readonly #driver: Driver
  readonly #test: string
  readonly #folder = mkdtempSync(join(tmpdir(), "kez-client-"))
  readonly #clients: Array<Client> = []
  readonly #forget = whenInterrupted(() => this.#remove())

  #isClockMoved = false
  readonly #features: ReadonlyArray<Feature>
  /** What the shim said, without the answers that nobody but the suite reads. */
  readonly #refusals: Array<string> = []

  private constructor(driver: Driver, test: string, world: World, features: ReadonlyArray<Feature>) {
    this.#driver = driver
    this.#test = test
    this.world = world
    this.#features = features
  }

  static async begin(driver: Driver, test: string, features: ReadonlyArray<Feature> = []): Promise<Stage> {
    return new Stage(driver, test, await World.begin(), features)
  }

  has(feature: Feature): boolean {
    return this.#features.includes(feature)
  }

  /** Moves the clock of all clients forward, where the shim can, and opens them again: what is due is done at the start. */
  async later(seconds: number): Promise<boolean> {
    if (!this.has("clock")) return false
    this.#isClockMoved = true
    for (const client of this.#clients.filter(({ isOpen }) => isOpen)) {
      await client.does("client.clock", { forward: seconds })
      await client.close()
      await client.open()
    }
    return true
  }

  /** Where the secret of a client was seen that it must not leave, as a sentence. */
  leak(): string | undefined {
    const seen = [...this.world.seen(), ...this.#refusals.map((text) => ({ where: "an error", bytes: utf8(text) }))]
    return this.#clients
      .flatMap(({ former, keys }) => [keys, ...former])
      .map((keys) => findSecret(keys, seen))
      .find((sentence) => sentence !== undefined)
  }

  /** A client that is not opened yet. The same name and folder number is the same folder. */
  client(local = "alice", keys?: Keys, folder = local): Client {
    const store = join(this.#folder, folder)
    mkdirSync(store, { recursive: true })
    const { home } = this.world
    const ask = async (operation: string, args: Readonly<Record<string, unknown>>) => {
      const response = await this.#driver.ask(operation, args, this.#test)
      if (response.ok === undefined) this.#refusals.push(JSON.stringify(response))
      return response
    }
    const client = new Client(ask, local, { home: home.http.url, store, server: home.name }, keys)
    this.#clients.push(client)
    return client
  }

  /** A new folder of the suite's own. */
  folder(name: string): string {
    const made = join(this.#folder, "saved", name)
    mkdirSync(made, { recursive: true })
    return made
  }

  /** A client with a new account. */
  opened(local = "alice"): Promise<Client> {
    return this.client(local).open("new")
  }

  /** The client alice, whose accepted contact bob is. */
  async pair(): Promise<{ readonly alice: Client; readonly bob: Person; readonly world: World }> {
    const bob = this.world.person("bob")
    const alice = await this.opened()
    await alice.add(bob.handle)
    return { alice, bob, world: this.world }
  }

  /** Kills the shim in the middle of whatever it does, and opens its clients again. */
  async kill(): Promise<void> {
    await this.#driver.restart()
    for (const client of this.#clients) if (client.isOpen) await client.open()
  }

  async end(): Promise<void> {
    for (const client of this.#clients) {
      if (!client.isOpen) continue
      await client.close().catch((error: unknown) => {
        if (!(error instanceof ShimFailure)) return
      })
    }
    await this.world.close()
    // The next scenario begins in the present.
    if (this.#isClockMoved) await this.#driver.restart().catch(() => undefined)
    this.#remove()
    this.#forget()
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
