/** The reference client behind a wrapper that does one thing wrong, in the process of the test. */
import type { Driver } from "../../src/clients/Stage.ts"
import type { World } from "../../src/clients/world/World.ts"
import { Clients } from "../../src/reference/ClientOperations.ts"
import type { Response } from "../../src/shim/Protocol.ts"

type Args = Readonly<Record<string, unknown>>
export type Answered = Omit<Response, "seq">

export interface ClientMutant {
  readonly name: string
  /** Patterns of the scenarios that must fail. */
  readonly kills: ReadonlyArray<string>
  /** What it is asked instead. */
  readonly asks?: (operation: string, args: Args) => Args
  /** Another answer of the shim. */
  readonly answer?: (answered: Answered, operation: string, args: Args, world: World) => Answered
  /** Has the world see something else than the client did. */
  readonly world?: (world: World) => void
}

export class MutantDriver implements Driver {
  readonly #mutant: ClientMutant
  #clients = new Clients()
  #world: World | undefined

  constructor(mutant: ClientMutant) {
    this.#mutant = mutant
  }

  prepare(world: World): void {
    this.#world = world
    this.#mutant.world?.(world)
  }

  async ask(operation: string, args: Args): Promise<Response> {
    const answered = JSON.parse(
      JSON.stringify(await this.#clients.answer(operation, this.#mutant.asks?.(operation, args) ?? args))
    ) as Answered
    const { answer } = this.#mutant
    return { seq: 0, ...(answer === undefined ? answered : answer(answered, operation, args, this.#world!)) }
  }

  kill(): Promise<void> {
    return this.#clients.closeAll()
  }

  async restart(): Promise<void> {
    await this.kill()
    this.#clients = new Clients()
  }
}
