/** A client under test: the operations of its shim, and what a check asks of it again and again. */
import { NotChecked, Violation } from "../servers/Outcome.ts"
import type { Response } from "../shim/Protocol.ts"
import { Keys } from "./crypto/Keys.ts"
import { until } from "./Expect.ts"
import { type ClientOperation, misfit } from "./Operations.ts"
import type { Head } from "./world/SigServer.ts"

export interface Contact {
  readonly primary: string
  readonly handle: string
  readonly state: "accepted" | "requested" | "blocked" | "changed"
  readonly verified: boolean
  readonly name?: "offered" | "gone"
  readonly chain?: "behind" | "rotated" | "forked"
  readonly kept?: true
  readonly offered?: { readonly primary: string; readonly origin: "handed_over" | "unexplained" }
  readonly head?: Head
  readonly warning?: string
}

export interface Message {
  readonly id: string
  readonly peer: string
  readonly direction: "in" | "out"
  readonly type: string
  readonly text: string
  readonly state?: "queued" | "stored" | "delivered" | "read" | "failed"
  readonly reason?: string
  readonly gap?: number
  readonly equivocation?: true
  readonly fork?: true
  readonly suspicious?: true
  readonly retired?: true
}

/** How long one `client.sync` may take, in milliseconds. */
const syncMillis = 5_000

/** Where a client is. */
interface Place {
  readonly home: string
  readonly store: string
  /** Lets a new account in. */
  readonly invite?: string | undefined
}

type Args = Readonly<Record<string, unknown>>
export type Ask = (operation: ClientOperation, args: Args) => Promise<Response>

/** The code of a refusal. */
export interface Refused {
  readonly code: string
  readonly message: string | undefined
}

export class Client {
  keys: Keys
  /** The keys that the account had before. */
  readonly former: Array<Keys> = []
  /** The key of a rotation that has begun: the account can be its own already. */
  next: Keys | undefined
  readonly local: string
  readonly handle: string
  isOpen = false
  #isWeb = false
  readonly #ask: Ask
  readonly #place: Place

  constructor(ask: Ask, local: string, place: Place & { readonly server: string }, keys = new Keys()) {
    this.#ask = ask
    this.#place = place
    this.keys = keys
    this.local = local
    this.handle = `${local}@${place.server}`
  }

  /** The folder that the client alone writes to. */
  get store(): string {
    return this.#place.store
  }

  get primary(): string {
    return this.keys.primary
  }

  /** Asks for an operation that may be refused. */
  async tries<A = unknown>(operation: ClientOperation, args: Args = {}): Promise<A | Refused> {
    const response = await this.#ask(operation, { id: this.local, ...args })
    if (response.unsupported === true) throw new NotChecked("untestable", `the shim does not support ${operation}`)
    if (response.internal !== undefined)
      throw new Violation(`${operation}: the implementation failed unexpectedly: ${response.internal.message}`)
    if (response.error !== undefined) return { code: response.error.code, message: response.error.message }
    const fault = misfit(operation, response.ok)
    if (fault !== undefined) throw new Violation(fault, undefined, response.ok)
    return response.ok as A
  }

  /** Asks for an operation that must succeed. */
  async does<A = unknown>(operation: ClientOperation, args: Args = {}): Promise<A> {
    const answer = await this.tries<A>(operation, args)
    if (isRefused(answer))
      throw new Violation(`${operation} was refused with ${answer.code}; it must succeed`, undefined, answer)
    return answer
  }

  /** Asks for an operation that must be refused, with one of these codes where some are named. */
  async refuses(operation: ClientOperation, args: Args, ...codes: ReadonlyArray<string>): Promise<Refused> {
    const answer = await this.tries(operation, args)
    if (!isRefused(answer)) throw new Violation(`${operation} succeeded; it must be refused`, { code: codes }, answer)
    if (codes.length > 0 && !codes.includes(answer.code))
      throw new Violation(
        `${operation} was refused with ${answer.code}; the right code is ${codes.join(" or ")}`,
        { code: codes },
        answer
      )
    return answer
  }

  /** Has it reach the broker over WebSocket; for shims of the feature `websocket`. */
  overWebSocket(): this {
    this.#isWeb = true
    return this
  }

  /** The arguments that open it: with a handle the account is made where it is not there. */
  opening(how: "new" | "known" = "known"): Args {
    const { home, invite, store } = this.#place
    return {
      words: this.keys.words,
      home,
      store,
      ...(this.former.length === 0 || how === "new" ? {} : { former: this.former.map(({ words: each }) => each) }),
      ...(this.#isWeb ? { websocket: true } : {}),
      ...(how === "new" ? { handle: this.handle, ...(invite === undefined ? {} : { invite }) } : {})
    }
  }

  async open(how: "new" | "known" = "known"): Promise<this> {
    const { handle, primary } = await this.does<{ handle: string; primary: string }>("client.open", this.opening(how))
    this.isOpen = true
    if (handle !== this.handle || (primary !== this.primary && primary !== this.next?.primary))
      throw new Violation(
        "client.open opened another account",
        { handle: this.handle, primary: this.primary },
        { handle, primary }
      )
    return this
  }

  /** Rotates to the key, whose words open it from then on. */
  async rotate(keys: Keys): Promise<void> {
    this.next = keys
    const { primary } = await this.does<{ primary: string }>("client.rotate", { to: keys.words })
    if (primary !== keys.primary) throw new Violation("client.rotate came to another key", keys.primary, primary)
    this.former.unshift(this.keys)
    this.keys = keys
    this.next = undefined
  }

  async close(): Promise<void> {
    this.isOpen = false
    await this.does("client.close")
  }

  /** A refusal is no fault: what the client could not do shows in what it shows. */
  async sync(millis = syncMillis): Promise<void> {
    await this.tries("client.sync", { millis })
  }

  /** What is shown; nothing of somebody who is not known. */
  async messages(who: string): Promise<ReadonlyArray<Message>> {
    const answer = await this.tries<ReadonlyArray<Message>>("client.messages", { who })
    if (!isRefused(answer)) return answer
    if (answer.code === "contact_unknown") return []
    throw new Violation(`client.messages was refused with ${answer.code}`, undefined, answer)
  }

  async texts(who: string): Promise<ReadonlyArray<string>> {
    return (await this.messages(who)).map(({ text }) => text)
  }

  contacts(): Promise<ReadonlyArray<Contact>> {
    return this.does("client.contacts")
  }

  async contact(who: string): Promise<Contact | undefined> {
    return (await this.contacts()).find(({ handle, primary }) => primary === who || handle === who)
  }

  add(who: string): Promise<Contact> {
    return this.does("client.add", { who })
  }

  refresh(who: string): Promise<Contact> {
    return this.does("client.refresh", { who })
  }

  send(who: string, text: string): Promise<{ readonly id: string; readonly state: string }> {
    return this.does("client.send", { who, text })
  }

  /** Syncs until the conversation is as it must be. */
  shows(
    who: string,
    fits: (messages: ReadonlyArray<Message>) => boolean,
    sentence: string,
    millis?: number
  ): Promise<ReadonlyArray<Message>> {
    const ask = async () => {
      await this.sync(2_000)
      return this.messages(who)
    }
    return until(ask, fits, sentence, millis)
  }

  /** Syncs until a text is shown. */
  async showsText(who: string, text: string): Promise<ReadonlyArray<Message>> {
    return this.shows(
      who,
      (messages) => messages.some((one) => one.text === text),
      `the message ${JSON.stringify(text)} is not shown`
    )
  }

  /** Syncs until a message of its own has a state. */
  async reaches(who: string, id: string, ...states: ReadonlyArray<string>): Promise<Message> {
    const found = (messages: ReadonlyArray<Message>) => messages.find((one) => one.id === id)
    const messages = await this.shows(
      who,
      (all) => states.includes(found(all)?.state ?? ""),
      `the message does not become ${states.join(" or ")}`
    )
    return found(messages)!
  }

  /** Asks for the contact until it is as it must be. */
  becomes(who: string, fits: (contact: Contact) => boolean, sentence: string): Promise<Contact | undefined> {
    return until(
      async () => {
        await this.sync(2_000)
        return this.contact(who)
      },
      (contact) => contact !== undefined && fits(contact),
      sentence
    )
  }
}

/** A stranger whose messages the inbox policy holds back. */
export interface Held {
  readonly primary: string
  readonly messages: number
}

export const isRefused = (answer: unknown): answer is Refused =>
  typeof answer === "object" &&
  answer !== null &&
  !Array.isArray(answer) &&
  typeof (answer as Refused).code === "string"
