/** An account that is logged in to the broker, and what it asks: sends, fetches, trims, blocks. */
import { randomBytes } from "node:crypto"
import { Violation } from "../Outcome.ts"
import type { Account } from "../home/HomeVisit.ts"
import { type Connection, headerBlock, type Message } from "./Connection.ts"
import { type Frame, type Page, readPage } from "./Page.ts"

export interface Removal {
  readonly upTo: number
  readonly epoch: string
}

export interface Report {
  readonly n: string
  readonly epoch: string
  readonly used: number
  readonly limit: number
  readonly strangers?: { readonly used: number; readonly limit: number }
  readonly oldest?: string
}

/** 22 characters. */
export const kezId = (): string => randomBytes(16).toString("base64url")

/** Bytes that look like a sealed frame to whoever cannot open it. */
export const sealed = (bytes = 300): Buffer => Buffer.concat([Buffer.of(1), randomBytes(bytes - 1)])

/** Greater than every position. */
const beyond = Number.MAX_SAFE_INTEGER

export class User {
  readonly account: Account
  readonly client: Connection
  readonly hex: string
  readonly #answers: Array<string>

  /** `answers` takes every answer to a send. */
  constructor(account: Account, client: Connection, answers: Array<string>) {
    this.account = account
    this.client = client
    this.hex = account.signer.hex
    this.#answers = answers
  }

  /** Sends a frame with these header lines; the text of the answer. */
  async sendWith(to: string, frame: Uint8Array, header: string): Promise<string> {
    const { payload } = await this.client.request(`kez.inbox.${to}`, frame, header)
    const answer = payload.toString("latin1")
    this.#answers.push(answer)
    return answer
  }

  send(to: string, frame: Uint8Array = sealed(), id = kezId()): Promise<string> {
    return this.sendWith(to, frame, headerBlock(`Kez-Id: ${id}`))
  }

  /** Sends a frame that must be stored. */
  async sendOk(to: string, frame: Uint8Array = sealed(), id = kezId()): Promise<void> {
    isOk(await this.send(to, frame, id), `a send of ${frame.length} bytes`)
  }

  /** The answer to a fetch, as it comes. */
  async fetchRaw(request: string | Uint8Array): Promise<Buffer> {
    return (await this.client.request(`kez.fetch.${this.hex}`, request)).payload
  }

  async fetch(after: number, other: Readonly<Record<string, unknown>> = {}): Promise<Page> {
    const nonce = randomBytes(16)
    const request = { after, n: nonce.toString("base64url"), ...other }
    return readPage(await this.fetchRaw(JSON.stringify(request)), this.hex, nonce)
  }

  /** All frames after a position, page by page. */
  async framesAfter(after: number): Promise<ReadonlyArray<Frame>> {
    const frames: Array<Frame> = []
    for (;;) {
      const page = await this.fetch(frames.at(-1)?.seq ?? after)
      frames.push(...page.frames)
      if (page.pending === 0) return frames
      if (page.frames.length === 0) throw new Violation("a page without frames says that some are pending")
    }
  }

  /** The stream's last sequence number. */
  async lastSeq(): Promise<number> {
    return (await this.fetch(beyond)).lastSeq
  }

  /** The answer to a trim request, as it comes. */
  async trimRaw(request: unknown): Promise<string> {
    const text = typeof request === "string" ? request : JSON.stringify(request)
    return (await this.client.request(`kez.trim.${this.hex}`, text)).payload.toString("latin1")
  }

  /** Asks how full a box is, or removes from it. */
  async trim(box: "inbox" | "self", removal?: Removal): Promise<Report> {
    const n = kezId()
    const answer = await this.trimRaw({ box, n, ...removal })
    const report = parsed(answer)
    if (!isReport(report)) throw new Violation("the answer to a trim is not a report", undefined, answer)
    if (report.n !== n) throw new Violation("the answer to a trim has another n than the request", n, report.n)
    return report
  }

  /** The answer to a block request, as it comes. */
  async blockRaw(request: unknown): Promise<string> {
    const text = typeof request === "string" ? request : JSON.stringify(request)
    return (await this.client.request(`kez.block.${this.hex}`, text)).payload.toString("latin1")
  }

  async block(op: "add" | "remove", who: string): Promise<void> {
    const n = kezId()
    const answer = await this.blockRaw({ op, who, n })
    const { n: echoed, ok } = (parsed(answer) ?? {}) as { n?: unknown; ok?: unknown }
    if (ok !== 1 || echoed !== n)
      throw new Violation(
        `${op} on the block list is not answered with ok and the n of the request`,
        { ok: 1, n },
        answer
      )
  }

  /** The live delivery of a frame. */
  delivery(frame: Uint8Array): Promise<Message> {
    return this.client.next(
      ({ payload, subject }) => subject === `kez.dlv.${this.hex}` && payload.equals(frame),
      "the live delivery of a stored frame"
    )
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isBytes = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const isReport = (value: unknown): value is Report => {
  const { epoch, limit, oldest, ok, strangers, used } = (value ?? {}) as Partial<Report> & { ok?: unknown }
  return (
    ok === 1 &&
    typeof epoch === "string" &&
    /^[\w-]{22}$/.test(epoch) &&
    isBytes(used) &&
    isBytes(limit) &&
    (strangers === undefined || (isBytes(strangers.used) && isBytes(strangers.limit))) &&
    (oldest === undefined || !Number.isNaN(Date.parse(oldest)))
  )
}

export const isOk = (answer: string, what: string): void => {
  if (answer !== '{"ok":1}') throw new Violation(`${what} is not answered with ok`, '{"ok":1}', answer)
}

/** The code of a refusal, and the time from which another try can succeed. */
export const refusalOf = (answer: string): { readonly code: string; readonly at?: string } | undefined => {
  const { at, e } = (parsed(answer) ?? {}) as { readonly at?: unknown; readonly e?: unknown }
  if (typeof e !== "string" || (at !== undefined && typeof at !== "string")) return undefined
  return at === undefined ? { code: e } : { code: e, at }
}

export const isRefused = (answer: string, what: string, ...codes: ReadonlyArray<string>): void => {
  const code = refusalOf(answer)?.code
  if (code === undefined || !codes.includes(code))
    throw new Violation(`${what} must be refused with ${codes.join(" or ")}`, { e: codes }, answer)
}

/** The frames of a box hold exactly these, in this order. */
export const holdsFrames = (frames: ReadonlyArray<Frame>, expected: ReadonlyArray<Uint8Array>, what: string): void => {
  const found = frames.map(({ frame }) => frame)
  if (found.length === expected.length && found.every((frame, i) => frame.equals(expected[i]!))) return
  const shown = found.map((frame) => {
    const index = expected.findIndex((one) => frame.equals(one))
    return index < 0 ? "another frame" : `frame ${index + 1}`
  })
  throw new Violation(
    what,
    expected.map((_, i) => `frame ${i + 1}`),
    shown
  )
}
