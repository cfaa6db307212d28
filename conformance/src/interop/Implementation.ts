/** An implementation behind its shim, with any number of clients open. */
import { mkdtempSync } from "node:fs"
import { basename, join } from "node:path"
import { Client } from "../clients/Client.ts"
import type { Keys } from "../clients/crypto/Keys.ts"
import type { ClientOperation } from "../clients/Operations.ts"
import { Violation } from "../servers/Outcome.ts"
import { hasOperation, type Started } from "../shim/Protocol.ts"
import { ShimFailure, type ShimOptions, type ShimProcess } from "../shim/ShimProcess.ts"
import { startShim } from "../shim/Start.ts"

export interface Account {
  readonly keys: Keys
  /** The local part of its handle. */
  readonly local: string
}

export interface Place {
  /** Base URL of the home server, and the server part of its handles. */
  readonly home: string
  readonly server: string
  /** Where stores of clients are made. */
  readonly folder: string
  /** Lets new accounts in. */
  readonly invite?: string | undefined
}

export class Implementation {
  /** As its shim names it, with a number where another one has the same name. */
  readonly name: string
  readonly started: Started
  readonly #options: ShimOptions
  #shim: ShimProcess

  private constructor(name: string, started: Started, shim: ShimProcess, options: ShimOptions) {
    this.name = name
    this.started = started
    this.#shim = shim
    this.#options = options
  }

  /** Fails with `ShimUnusable` if the shim cannot be started. */
  static async start(options: ShimOptions, taken: ReadonlyArray<string> = []): Promise<Implementation> {
    const [shim, started] = await startShim(options)
    const { name } = started.implementation
    const same = taken.filter((other) => other === name || other.startsWith(`${name} #`)).length
    return new Implementation(same === 0 ? name : `${name} #${same + 1}`, started, shim, options)
  }

  has(operation: ClientOperation): boolean {
    return hasOperation(this.started.ops, operation)
  }

  /** A client with an empty store. */
  client({ keys, local }: Account, { folder, home, invite, server }: Place): Client {
    const store = mkdtempSync(join(folder, "store-"))
    // One account may be open twice in one shim.
    const id = basename(store)
    return new Client(
      async (operation, args) => {
        await this.#ensureAlive()
        try {
          return await this.#shim.ask(operation, { ...args, id }, `interop#${operation}`)
        } catch (error) {
          if (!(error instanceof ShimFailure)) throw error
          throw new Violation(`${this.name}, asked for ${operation}: ${error.message}`)
        }
      },
      local,
      { home, invite, server, store },
      keys
    )
  }

  /** A shim that has ended is started again, so that other pairs can be judged; its clients are closed. */
  async #ensureAlive(): Promise<void> {
    if (this.#shim.isAlive) return
    await this.#shim.stop()
    ;[this.#shim] = await startShim(this.#options)
  }

  stop(): Promise<void> {
    return this.#shim.stop()
  }
}
