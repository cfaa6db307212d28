/** What one scenario plays in: a world of its own, a folder, and a shim that no other scenario uses meanwhile. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Response } from "../shim/Protocol.ts"
import { ShimFailure } from "../shim/ShimProcess.ts"
import { Client } from "./Client.ts"
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

  private constructor(driver: Driver, test: string, world: World) {
    this.#driver = driver
    this.#test = test
    this.world = world
  }

  static async begin(driver: Driver, test: string): Promise<Stage> {
    return new Stage(driver, test, await World.begin())
  }

  /** A client that is not opened yet. The same name and folder number is the same folder. */
  client(local = "alice", keys?: Keys, folder = local): Client {
    const store = join(this.#folder, folder)
    mkdirSync(store, { recursive: true })
    const { home } = this.world
    const ask = (operation: string, args: Readonly<Record<string, unknown>>) =>
      this.#driver.ask(operation, args, this.#test)
    const client = new Client(ask, local, { home: home.http.url, store, server: home.name }, keys)
    this.#clients.push(client)
    return client
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
    this.world.close()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
