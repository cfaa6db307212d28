/** A run against a sig-server: throw-away chains, which stay there, because nobody can remove one. */
import { hasStatus } from "../Expect.ts"
import type { Envelope, Signer, Signing } from "../Signing.ts"
import { type Answer, type Target, TargetUnusable } from "../Target.ts"

interface Head {
  readonly seq: number
  readonly hash: string
}

/** A chain as it must be at the server. */
export interface Chain {
  readonly signer: Signer
  readonly events: ReadonlyArray<Envelope>
}

export const pathOf = ({ hex }: Pick<Signer, "hex">): string => `/v1/sigchains/ed25519/${hex}`

export class SigVisit {
  readonly target: Target
  readonly signing: Signing
  /** Chains that this run began. */
  begun = 0
  #shared: Promise<Chain> | undefined

  private constructor(target: Target, signing: Signing) {
    this.target = target
    this.signing = signing
  }

  /** Fails with `TargetUnusable` if no sig-server answers there. */
  static async begin(target: Target, signing: Signing): Promise<SigVisit> {
    const path = `${pathOf(signing.makeSigner())}/head`
    try {
      const answer = await target.get(path)
      if (answer.status === 404 && !answer.text.includes("chain_not_found"))
        throw new Error("it knows nothing of sigchains")
      return new SigVisit(target, signing)
    } catch (error) {
      throw new TargetUnusable(`no sig-server is at ${target.url}: ${(error as Error).message}`)
    }
  }

  headOf({ events }: Chain): Head {
    return { seq: events.length - 1, hash: this.signing.hash(events.at(-1)!) }
  }

  /** The event that follows a chain, with members replaced. */
  next({ events, signer }: Chain, other: object = {}): Envelope {
    const last = events.at(-1)
    return signer.sign("sigchain_event", {
      type: "kez.sigchain.event",
      version: 1,
      primary: signer.primary,
      seq: events.length,
      ...(last === undefined ? {} : { prev: this.signing.hash(last) }),
      created_at: `${new Date().toISOString().slice(0, 19)}Z`,
      op: "add",
      payload: { subject: `dns:${signer.hex.slice(0, 12)}-${events.length}.kezct.example` },
      ...other
    })
  }

  /** A chain that nobody has yet. */
  empty(): Chain {
    return { signer: this.signing.makeSigner(), events: [] }
  }

  append({ signer }: Pick<Chain, "signer">, event: unknown, at = "/events"): Promise<Answer> {
    return this.target.post(`${pathOf(signer)}${at}`, event)
  }

  /** The chain with more events, all of them stored. */
  async extended(chain: Chain, ...others: ReadonlyArray<object>): Promise<Chain> {
    let grown = chain
    for (const other of others) {
      const event = this.next(grown, other)
      hasStatus(await this.append(grown, event), 201)
      grown = { ...grown, events: [...grown.events, event] }
      if (grown.events.length === 1) this.begun += 1
    }
    return grown
  }

  /** A chain of three events that checks share; they leave it as it is. */
  chain(): Promise<Chain> {
    return (this.#shared ??= this.extended(this.empty(), {}, {}, {}))
  }
}
