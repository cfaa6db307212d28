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

/** How a server wants its events, as far as KEZ's pages leave that open. */
interface Dialect {
  /** What follows a chain's URL for an append. */
  readonly at: string
  /** How events are signed: a name of `Signing.rules`. */
  readonly rule: string
  /** What `prev` is a hash of: a name of `Signing.links`. */
  readonly link: string
}

export const pathOf = ({ hex }: Pick<Signer, "hex">): string => `/v1/sigchains/ed25519/${hex}`

/** Where events are appended, as the specification has it first. */
const appendPaths = ["/events", ""]

const isStored = ({ status }: Answer): boolean => status >= 200 && status < 300
const isNowhere = ({ status }: Answer): boolean => status === 404 || status === 405

/** Whether an answer comes from a server that knows of chains: this key has none. */
const knowsChains = ({ status, text }: Answer): boolean =>
  status === 404 ? !text.includes('"code"') || text.includes("chain_not_found") : status === 200 || status === 429

export class SigVisit {
  readonly target: Target
  readonly signing: Signing
  /** Chains that this run began. */
  begun = 0
  #dialect: Dialect
  #shared: Promise<Chain> | undefined

  private constructor(target: Target, signing: Signing) {
    this.target = target
    this.signing = signing
    const [[link]] = signing.links(signing.makeSigner().sign("", {}))
    this.#dialect = { at: appendPaths[0]!, rule: signing.rules[0], link }
  }

  /**
   * Begins chains to learn how the server wants its events, except with `readOnly`. Fails with `TargetUnusable` if no
   * sig-server answers there.
   */
  static async begin(target: Target, signing: Signing, readOnly = false): Promise<SigVisit> {
    try {
      const visit = new SigVisit(target, signing)
      if (!knowsChains(await target.get(pathOf(signing.makeSigner())))) throw new Error("it knows nothing of sigchains")
      if (!readOnly) await visit.#learn()
      return visit
    } catch (error) {
      throw new TargetUnusable(`no sig-server is at ${target.url}: ${(error as Error).message}`)
    }
  }

  /** How the server wants its events: as the specification has it, unless it stores only others. */
  get dialect(): Dialect {
    return this.#dialect
  }

  async #learn(): Promise<void> {
    let chain: Chain | undefined
    let answers: ReadonlyArray<Answer> = []
    const begin = async (dialect: Dialect): Promise<boolean> => {
      const empty = this.empty()
      const event = this.next(empty, {}, dialect)
      const answer = await this.append(empty, event, dialect.at)
      answers = [...answers, answer]
      if (!isStored(answer)) return isNowhere(answer)
      chain = { ...empty, events: [event] }
      this.#dialect = dialect
      this.begun += 1
      return true
    }
    for (const at of appendPaths) {
      for (const rule of this.signing.rules) if (await begin({ ...this.#dialect, at, rule })) break
      if (chain !== undefined) break
    }
    if (answers.every(isNowhere)) throw new Error("it takes no events, neither at …/events nor at a chain's own URL")
    if (chain === undefined) return
    for (const [link] of this.signing.links(chain.events[0]!)) {
      const dialect = { ...this.#dialect, link }
      if (isStored(await this.append(chain, this.next(chain, {}, dialect)))) {
        this.#dialect = dialect
        return
      }
    }
  }

  /** What names an event in `prev` and in heads. */
  linkTo(event: Envelope, name = this.#dialect.link): string {
    return this.signing.links(event).find(([link]) => link === name)?.[1] ?? ""
  }

  headOf({ events }: Chain): Head {
    return { seq: events.length - 1, hash: this.linkTo(events.at(-1)!) }
  }

  /** The event that follows a chain, with members replaced. */
  next({ events, signer }: Chain, other: object = {}, { link, rule } = this.#dialect): Envelope {
    const last = events.at(-1)
    const payload = {
      type: "kez.sigchain.event",
      version: 1,
      primary: signer.primary,
      seq: events.length,
      ...(last === undefined ? {} : { prev: this.linkTo(last, link) }),
      created_at: `${new Date().toISOString().slice(0, 19)}Z`,
      op: "add",
      payload: { subject: `dns:${signer.hex.slice(0, 12)}-${events.length}.kezct.example` },
      ...other
    }
    return signer.sign("sigchain_event", payload, rule)
  }

  /** A chain that nobody has yet. */
  empty(): Chain {
    return { signer: this.signing.makeSigner(), events: [] }
  }

  append({ signer }: Pick<Chain, "signer">, event: unknown, at = this.#dialect.at): Promise<Answer> {
    return this.target.post(`${pathOf(signer)}${at}`, event)
  }

  /** The chain with more events, all of them stored. */
  async extended(chain: Chain, ...others: ReadonlyArray<object>): Promise<Chain> {
    let grown = chain
    for (const other of others) {
      const event = this.next(grown, other)
      hasStatus(await this.append(grown, event), 200, 201, 202, 204)
      grown = { ...grown, events: [...grown.events, event] }
      if (grown.events.length === 1) this.begun += 1
    }
    return grown
  }

  /** A chain of three events that checks share; they leave it as it is. */
  chain(): Promise<Chain> {
    return (this.#shared ??= this.extended(this.empty(), {}, {}, {}))
  }

  /** Gives the shared chain up: the server has stored in it what it should have refused. */
  spoil(): void {
    this.#shared = undefined
  }
}
