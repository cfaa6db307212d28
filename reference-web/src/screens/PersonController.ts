import type { Account, Contact, Event, KezChatClient, Verification } from "@kez-chat/sdk/promise"
import type { ReactiveController, ReactiveControllerHost } from "lit"
import { ChatEvents } from "../controllers/ChatEvents.ts"
import { isNamed } from "../model/DisplayName.ts"

type Host = ReactiveControllerHost & { readonly who: string }

/** What a screen about one account knows of it, kept up to date while the screen is shown. */
export class PersonController implements ReactiveController {
  account: Account | undefined
  contact: Contact | undefined
  /** Safety number and chain; absent before the servers answered. */
  verification: Verification | undefined
  /** Origin of the server that gave no answer when it was last asked for the contact's key. */
  silent: string | undefined
  /** No contact has this name. */
  isUnknown = false
  /** What went wrong last, as a sentence. */
  failure: string | undefined
  busy = false

  readonly #host: Host
  readonly #clientOf: () => KezChatClient | undefined
  readonly #withChain: boolean
  #client: KezChatClient | undefined
  #who = ""

  /** `withChain`: also loads the verification. */
  constructor(host: Host, client: () => KezChatClient | undefined, withChain: boolean) {
    this.#host = host
    this.#clientOf = client
    this.#withChain = withChain
    host.addController(this)
    // oxlint-disable-next-line no-new -- it acts by itself
    new ChatEvents(host, client, (event) => this.#take(event))
  }

  hostUpdate(): void {
    const client = this.#clientOf()
    const { who } = this.#host
    if (client === this.#client && who === this.#who) return
    if (who !== this.#who) {
      this.contact = undefined
      this.verification = undefined
      this.silent = undefined
      this.isUnknown = false
      this.failure = undefined
    }
    this.#client = client
    this.#who = who
    void this.load(true)
  }

  /** It is the user's own account. */
  get isOwn(): boolean {
    return this.account !== undefined && this.contact?.primary === this.account.primary
  }

  /** Reads again; what is known stays until the answer is there. `asks`: for another key at the home server, first. */
  async load(asks = false): Promise<void> {
    const client = this.#client
    const who = this.#who
    if (client === undefined || who === "") return
    try {
      const [account, contact] = await Promise.all([client.account(), client.contact(who)])
      if (!this.#isCurrent(client, who)) return
      this.account = account
      this.contact = contact
      this.isUnknown = false
      this.#host.requestUpdate()
      if (!this.#withChain) return
      // A number is compared for the key that is named now; without an answer for the one that is known.
      const silent = asks ? await client.refreshContact(who).then(() => undefined, silentServer) : this.silent
      if (!this.#isCurrent(client, who)) return
      this.silent = silent
      const verification = await client.verification(who)
      if (!this.#isCurrent(client, who)) return
      this.verification = verification
      this.contact = verification.contact
    } catch (error) {
      if (!this.#isCurrent(client, who)) return
      this.isUnknown = tagOf(error) === "ContactUnknown"
      this.failure = this.isUnknown ? undefined : messageOf(error)
    }
    this.#host.requestUpdate()
  }

  /** Carries out a change of the contact; whether it worked. */
  async change(how: (client: KezChatClient, contact: Contact) => Promise<unknown>): Promise<boolean> {
    const client = this.#client
    const { contact } = this
    if (client === undefined || contact === undefined || this.busy) return false
    this.busy = true
    this.failure = undefined
    this.#host.requestUpdate()
    try {
      await how(client, contact)
      return true
    } catch (error) {
      this.failure = messageOf(error)
      return false
    } finally {
      this.busy = false
      this.#host.requestUpdate()
      void this.load()
    }
  }

  /** Shows why something was not done. */
  fail(error: unknown): void {
    this.failure = messageOf(error)
    this.#host.requestUpdate()
  }

  /** What is known of claims now, in place of what was. */
  takeClaims(claims: Verification["claims"]): void {
    if (this.verification === undefined) return
    const bySubject = new Map(claims.map((claim) => [claim.subject, claim]))
    const taken = this.verification.claims.map((claim) => bySubject.get(claim.subject) ?? claim)
    this.verification = { ...this.verification, claims: taken }
    this.#host.requestUpdate()
  }

  #isCurrent(client: KezChatClient, who: string): boolean {
    return client === this.#client && who === this.#who
  }

  /** Only news about the key are a reason to ask the servers again: asking is itself told as a change of the contact. */
  #take(event: Event): void {
    if (event._tag === "Missed") void this.load()
    if (this.isUnknown && "contact" in event && isNamed(this.#who, event.contact)) void this.load(true)
    if (!("contact" in event) || event.contact.primary !== this.contact?.primary) return
    if (event._tag === "Contact") {
      this.contact = event.contact
      if (this.verification !== undefined) this.verification = { ...this.verification, contact: event.contact }
      this.#host.requestUpdate()
    } else if (event._tag === "ProofChanged" && this.verification !== undefined) {
      this.takeClaims([event.claim])
    } else if (event._tag === "ContactRemoved" || event._tag.startsWith("Key")) void this.load()
  }
}

const silentServer = (error: unknown): string | undefined =>
  tagOf(error) === "ServerUnreachable" ? String((error as { readonly url?: unknown }).url) : undefined

const tagOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
