import type { Claim, KezChatClient, Proving } from "@kez-chat/sdk/promise"
import type { ReactiveController, ReactiveControllerHost } from "lit"
import { ChatEvents } from "../../controllers/ChatEvents.ts"
import { errorText, tagOf } from "../../controllers/Errors.ts"

/** The names elsewhere that the account claims, and those being linked to it, while they are shown. */
export class OwnProofs implements ReactiveController {
  /** Undefined before they were read. */
  claims: ReadonlyArray<Claim> | undefined
  /** Begun and not recorded yet. */
  provings: ReadonlyArray<Proving> = []
  /** The subject of the proof that is looked for. */
  looking = ""
  /** The subject of the claim that is checked or taken back. */
  busy = ""
  /** The subject of a proof that a page cannot look for. */
  needsCli = ""
  /** The subject that was recorded last. */
  recorded = ""
  failed = ""

  readonly #host: ReactiveControllerHost
  readonly #clientOf: () => KezChatClient | undefined
  #isShown = false
  #stop = new AbortController()

  constructor(host: ReactiveControllerHost, client: () => KezChatClient | undefined) {
    this.#host = host
    this.#clientOf = client
    host.addController(this)
    // oxlint-disable-next-line no-new -- it acts by itself
    new ChatEvents(host, client, ({ _tag }) => {
      if (this.#isShown && (_tag === "ProofChanged" || _tag === "Missed")) void this.#load()
    })
  }

  hostDisconnected(): void {
    this.show(false)
  }

  /** Hidden, it stops looking for a proof; `prove` goes on with it. */
  show(shown: boolean): void {
    this.#isShown = shown
    if (shown) return void this.#load()
    this.#stop.abort()
    this.#say({})
  }

  /** Looks for a proof until it is recorded. */
  async prove(subject: string): Promise<void> {
    if (this.looking !== "") return
    const stop = new AbortController()
    this.#stop = stop
    this.looking = subject
    this.#say({})
    try {
      for await (const proving of this.#client.prove(subject, { signal: stop.signal })) {
        this.looking = proving.subject
        const others = this.provings.filter((each) => each.subject !== proving.subject)
        const isRecorded = proving.step === "recorded"
        this.provings = isRecorded ? others : [proving, ...others]
        this.#say(isRecorded ? { recorded: proving.subject } : {})
      }
    } catch (error) {
      if (stop.signal.aborted) return
      this.#say(tagOf(error) === "ProofRefused" ? { needsCli: subject } : { failed: errorText(error) })
    } finally {
      this.looking = ""
      await this.#load()
    }
  }

  check(subject: string): Promise<void> {
    return this.#change(subject, async (client) => client.checkProofs((await client.account()).primary, subject))
  }

  takeBack(subject: string): Promise<void> {
    if (this.looking === subject) this.#stop.abort()
    return this.#change(subject, (client) => client.revokeProof(subject))
  }

  get #client(): KezChatClient {
    const client = this.#clientOf()
    if (client === undefined) throw new Error("no account is open")
    return client
  }

  async #change(subject: string, how: (client: KezChatClient) => Promise<unknown>): Promise<void> {
    if (this.busy !== "") return
    this.busy = subject
    this.#say({})
    try {
      await how(this.#client)
    } catch (error) {
      this.#say({ failed: errorText(error) })
    } finally {
      this.busy = ""
      await this.#load()
    }
  }

  async #load(): Promise<void> {
    try {
      const client = this.#client
      const [claims, provings] = await Promise.all([client.proofs(), client.provings()])
      this.claims = claims
      this.provings = provings.map((known) => this.provings.find(({ subject }) => subject === known.subject) ?? known)
    } catch (error) {
      this.failed = errorText(error)
    }
    this.#host.requestUpdate()
  }

  #say({ failed = "", needsCli = "", recorded = "" }: Partial<Pick<OwnProofs, "failed" | "needsCli" | "recorded">>) {
    this.failed = failed
    this.needsCli = needsCli
    this.recorded = recorded
    this.#host.requestUpdate()
  }
}
