/**
 * Whose turn it is: of all workers of this origin, one holds the account. It gives it to another that asks for it, and
 * to a newer build.
 */
import { hold, type Release } from "../Locks.ts"

type Note =
  | { readonly wanted: true }
  | { readonly ticket: string }
  /** An account was opened, closed or removed. */
  | { readonly changed: true; readonly forgotten: boolean }

/** The account's lock, and the ticket of the holder before. */
export interface Turn {
  readonly release: Release
  readonly ticket: string | undefined
}

export interface Listener {
  /** Another worker asks for the account. */
  wanted(): void
  /** A newer build asks for it. */
  superseded(): void
  changed(forgotten: boolean): void
}

/** A holder that closes takes this long at most; only then is the account `elsewhere`. */
const closingMillis = 1_500
/** The ticket of the holder before can come after its lock. */
const ticketMillis = 300

/** A channel has one origin, unlike a window. */
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const post = (channel: BroadcastChannel, message: Note | string) => channel.postMessage(message)

export class Turns {
  readonly #name: string
  readonly #build: string
  readonly #builds: BroadcastChannel
  readonly #notes: BroadcastChannel
  /** The last ticket that was given, until it is taken. */
  #ticket: string | undefined
  #onTicket: () => void = () => {}
  #waiting = false
  /** Only a worker that asked, or that found a holder when it started, takes the ticket of the holder before. */
  #wants = false

  constructor(name: string, build: string, listener: Listener) {
    this.#name = name
    this.#build = build
    this.#builds = new BroadcastChannel(`${name}/builds`)
    this.#notes = new BroadcastChannel(`${name}/turns`)
    this.#builds.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== "string" || !/^\d{1,15}$/.test(data)) return
      if (Number(data) > Number(build)) listener.superseded()
      else if (Number(data) < Number(build)) this.announce()
    })
    this.#notes.addEventListener("message", ({ data }: MessageEvent<Note>) => {
      if ("wanted" in data) listener.wanted()
      else if ("ticket" in data) {
        this.#ticket = data.ticket
        this.#onTicket()
      } else listener.changed(data.forgotten)
    })
  }

  /** Tells other builds the number of this one. */
  announce(): void {
    post(this.#builds, this.#build)
  }

  /** Asks the holder for the account; `whenFree` then gives its ticket too. */
  want(): void {
    this.#wants = true
    this.#ticket = undefined
    post(this.#notes, { wanted: true })
  }

  giveTicket(ticket: string): void {
    post(this.#notes, { ticket })
  }

  tellChange(forgotten = false): void {
    post(this.#notes, { changed: true, forgotten })
  }

  /** The account's lock, or undefined while another worker has it. */
  now(): Promise<Release | undefined> {
    return hold(this.#lock, { ifAvailable: true })
  }

  /** The first turn of a worker: other builds learn of it, and an older one that holds the account gives it. */
  async first(): Promise<Turn | undefined> {
    const free = await this.now()
    // After the look at the lock: an older build may give it back at once.
    this.#wants = free === undefined
    this.announce()
    return free === undefined ? this.soon() : { release: free, ticket: undefined }
  }

  /** The same, but waits for a holder that is closing, and gives its ticket if it was wanted. */
  async soon(): Promise<Turn | undefined> {
    let release = await hold(this.#lock, { signal: AbortSignal.timeout(closingMillis) })
    // A holder that gave its ticket is closing, however long it takes.
    if (this.#wants && this.#ticket !== undefined) release ??= await hold(this.#lock)
    return this.#turn(release)
  }

  /** The lock when its holder is gone, with its ticket if it was wanted; undefined where a wait is under way. */
  async whenFree(): Promise<Turn | undefined> {
    if (this.#waiting) return undefined
    this.#waiting = true
    const release = await hold(this.#lock)
    this.#waiting = false
    return this.#turn(release)
  }

  get #lock(): string {
    return `${this.#name}/account`
  }

  async #turn(release: Release | undefined): Promise<Turn | undefined> {
    const wanted = this.#wants
    this.#wants = false
    return release === undefined ? undefined : { release, ticket: wanted ? await this.#takeTicket() : undefined }
  }

  async #takeTicket(): Promise<string | undefined> {
    if (this.#ticket === undefined) {
      await new Promise<void>((resolve) => {
        this.#onTicket = resolve
        setTimeout(resolve, ticketMillis)
      })
    }
    const ticket = this.#ticket
    this.#ticket = undefined
    return ticket
  }
}
