/** A run against a home server: what it says of itself, the throw-away accounts, and their removal at the end. */
import { randomBytes } from "node:crypto"
import { codeOf, hasStatus } from "../Expect.ts"
import { NotChecked } from "../Outcome.ts"
import type { Envelope, Signer, Signing } from "../Signing.ts"
import { type Answer, type Target, TargetUnusable } from "../Target.ts"

export interface Account {
  readonly signer: Signer
  /** Local part. */
  readonly handle: string
  readonly registration: Envelope
}

/** A registration that was sent; it may have been refused, or have no answer yet. */
interface Registered {
  readonly signer: Signer
  readonly handle: string
  readonly answer: Promise<Answer>
}

/** What its operator says of a home. */
export interface Operated {
  /** A handle that is reserved there. */
  readonly reserved?: string | undefined
  /** Lets the accounts of the run in. */
  readonly invite?: string | undefined
}

export class HomeVisit {
  readonly target: Target
  readonly signing: Signing
  /** The server part of the handles that it registers. */
  readonly server: string
  /** Who may register, as its description says. */
  readonly admits: string
  readonly reserved: string | undefined
  readonly #invite: string | undefined
  /** How far its clock is ahead of ours, in milliseconds. */
  readonly #ahead: number
  readonly #registered = new Set<Registered>()
  #account: Promise<Account> | undefined
  #deleted: Promise<Account> | undefined
  #cleaned: Promise<ReadonlyArray<string>> | undefined

  private constructor(
    target: Target,
    signing: Signing,
    { admits, ahead, server }: { readonly admits: string; readonly ahead: number; readonly server: string },
    { invite, reserved }: Operated
  ) {
    this.target = target
    this.signing = signing
    this.server = server
    this.admits = admits
    this.#ahead = ahead
    this.#invite = invite
    this.reserved = reserved
  }

  /** Fails with `TargetUnusable` if no home server answers there. */
  static async begin(target: Target, signing: Signing, operated: Operated = {}): Promise<HomeVisit> {
    let answer
    try {
      answer = await target.get("/.well-known/kez-chat")
    } catch (error) {
      throw new TargetUnusable((error as Error).message)
    }
    try {
      const { registration = "open", server } = JSON.parse(answer.text) as Readonly<Record<string, unknown>>
      if (typeof server !== "string") throw new TypeError("no name")
      const date = Date.parse(answer.headers.get("date") ?? "")
      const ahead = Number.isNaN(date) ? 0 : date - Date.now()
      return new HomeVisit(target, signing, { admits: String(registration), ahead, server }, operated)
    } catch {
      throw new TargetUnusable(
        `${target.url}/.well-known/kez-chat answers ${answer.status} and does not describe a home server`
      )
    }
  }

  /** A time as statements carry it, by the server's clock. */
  time(seconds = 0): string {
    return `${new Date(Date.now() + this.#ahead + seconds * 1_000).toISOString().slice(0, 19)}Z`
  }

  newHandle(): string {
    return `kezct-${randomBytes(6).toString("hex")}`
  }

  /** The payload of a registration or deletion, with members replaced. */
  payload(kind: "registration" | "deletion", signer: Signer, handle: string, other: object = {}) {
    const { primary } = signer
    const type = `kez.chat.handle_${kind}`
    return { type, version: 1, handle, server: this.server, primary, created_at: this.time(), ...other }
  }

  registration(signer: Signer, handle: string, other?: object): Envelope {
    return signer.sign("handle_registration", this.payload("registration", signer, handle, other))
  }

  deletion(signer: Signer, handle: string, other?: object): Envelope {
    return signer.sign("handle_deletion", this.payload("deletion", signer, handle, other))
  }

  /** Sends a registration that must be refused, beside the invite where there is one. Throws once `cleanUp` has begun. */
  offer(body: object): Promise<Answer> {
    if (this.#cleaned !== undefined) throw new NotChecked("untestable", "the run has ended")
    const isInvited = this.#invite !== undefined && !("invite" in body)
    return this.target.post("/v1/register", isInvited ? { invite: this.#invite, registration: body } : body)
  }

  /** Sends a registration, and remembers to delete what comes of it. */
  async register(signer: Signer, handle: string, body: object): Promise<Answer> {
    // Remembered before it is answered: an answer may be lost, and the run interrupted.
    const registered = { signer, handle, answer: this.offer(body) }
    this.#registered.add(registered)
    const answer = await registered.answer
    if (answer.status >= 300) this.#registered.delete(registered)
    return answer
  }

  /** A new account for one check. */
  async newAccount(signer = this.signing.makeSigner()): Promise<Account> {
    const handle = this.newHandle()
    const registration = this.registration(signer, handle)
    const answer = await this.register(signer, handle, registration)
    if (this.#invite !== undefined && codeOf(answer) === "invite_invalid")
      throw new NotChecked("untestable", "the invite lets nobody in, or nobody any more")
    hasStatus(answer, 201)
    return { signer, handle, registration }
  }

  /** An account that checks share; they leave it as it is. */
  account(): Promise<Account> {
    return (this.#account ??= this.newAccount())
  }

  /** A deleted account that checks share. */
  deletedAccount(): Promise<Account> {
    return (this.#deleted ??= (async () => {
      const account = await this.newAccount()
      hasStatus(await this.delete(account), 204)
      return account
    })())
  }

  async delete({ handle, signer }: Pick<Account, "handle" | "signer">): Promise<Answer> {
    const answer = await this.target.post("/v1/delete", this.deletion(signer, handle))
    if (answer.status === 204)
      for (const one of this.#registered)
        if (one.handle === handle && one.signer === signer) this.#registered.delete(one)
    return answer
  }

  /** Sends a transfer to `next`, and remembers that either key may have the handle. */
  async handOver({ handle }: Pick<Account, "handle">, next: Signer, bodies: object): Promise<Answer> {
    const registered = { signer: next, handle, answer: this.target.post("/v1/transfer", bodies) }
    this.#registered.add(registered)
    const answer = await registered.answer
    if (answer.status >= 300) this.#registered.delete(registered)
    return answer
  }

  record({ handle }: Pick<Account, "handle">): Promise<Answer> {
    return this.target.get(`/v1/u/${handle}`)
  }

  /** Ends the run and deletes the accounts that are left; the handles of those that remain. */
  cleanUp(): Promise<ReadonlyArray<string>> {
    return (this.#cleaned ??= this.#deleteAll())
  }

  async #deleteAll(): Promise<ReadonlyArray<string>> {
    await Promise.allSettled([...this.#registered].map(({ answer }) => answer))
    const left = new Set<string>()
    const gone = new Set<string>()
    for (const { handle, signer } of this.#registered) {
      const status = await this.delete({ handle, signer }).then(
        (answer) => answer.status,
        () => 0
      )
      if (status === 204) gone.add(handle)
      // 404: it was never made.
      else if (status !== 404) left.add(handle)
    }
    // One of the keys of an account that was handed over has it.
    return [...left].filter((handle) => !gone.has(handle))
  }
}
