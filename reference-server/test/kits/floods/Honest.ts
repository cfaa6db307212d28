/**
 * Honest users in a process of their own, in pairs: each sends to its friend and fetches, a few times a second, and times every
 * answer. Stands still as a client would that is refused.
 */
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { Page } from "@kez-chat/sdk/protocol"
import { fromSecret, kezId } from "../Account.ts"
import { headerBlock, openRaw, type Port, type RawClient } from "../RawClient.ts"

export interface Orders {
  readonly transports: ReadonlyArray<Port>
  readonly ports: Readonly<Record<Port, ReadonlyArray<number>>>
  readonly secrets: ReadonlyArray<string>
  /** Pause between a user's rounds, in milliseconds. */
  readonly pauseMillis: number
}

export interface Timing {
  /** Milliseconds from each request to its answer. */
  readonly millis: Array<number>
  readonly refused: Record<string, number>
  unanswered: number
}

export interface Outcome {
  readonly sends: Timing
  readonly fetches: Timing
  /** Connections of honest users that the broker closed. */
  closed: number
}

/** A client gives up on an answer after so long. */
const patienceMillis = 10_000
const fresh = (): Timing => ({ millis: [], refused: {}, unanswered: 0 })
const outcome: Outcome = { sends: fresh(), fetches: fresh(), closed: 0 }
let isStopping = false
/** Requests made before this do not count. */
let countFrom = Number.POSITIVE_INFINITY

const ask = async (timing: Timing, request: () => ReturnType<RawClient["request"]>): Promise<void> => {
  const began = performance.now()
  const patience = new AbortController()
  const answer = await Promise.race([
    request().catch(() => undefined),
    sleep(patienceMillis, undefined, { signal: patience.signal }).catch(() => undefined)
  ])
  patience.abort()
  if (began < countFrom) return
  if (answer === undefined) {
    timing.unanswered += 1
    return
  }
  timing.millis.push(performance.now() - began)
  const text = answer.payload[0] === 1 ? "" : answer.payload.toString()
  if (text !== "" && text !== '{"ok":1}') timing.refused[text] = (timing.refused[text] ?? 0) + 1
}

const live = async (client: RawClient, hex: string, friend: string, pauseMillis: number): Promise<void> => {
  for (;;) {
    if (isStopping) return
    if (client.isClosed()) {
      outcome.closed += 1
      return
    }
    const block = headerBlock(`Kez-Id: ${kezId()}`)
    await ask(outcome.sends, () => client.request(`kez.inbox.${friend}`, randomBytes(600), block))
    const page = Page.encodeRequest({ after: 0, nonce: randomBytes(16) })
    await ask(outcome.fetches, () => client.request(`kez.fetch.${hex}`, page))
    await sleep(pauseMillis * (0.5 + Math.random()))
  }
}

const lives: Array<Promise<void>> = []

process.on("message", async (message: Orders | "count" | "stop") => {
  if (message === "count") {
    countFrom = performance.now()
    return
  }
  if (message === "stop") {
    isStopping = true
    await Promise.all(lives)
    process.send?.(outcome, undefined, undefined, () => process.exit(0))
    return
  }
  const accounts = message.secrets.map(fromSecret)
  const clients = await Promise.all(
    accounts.map(async (account, i) => {
      const kind = message.transports[i % message.transports.length] as Port
      const ports = message.ports[kind]
      const client = await openRaw({ kind, port: ports[i % ports.length] as number })
      const refused = await client.login(account)
      if (refused !== undefined) throw new Error(refused)
      return client
    })
  )
  // Friends have written to each other before, so nobody meets a stranger's limits.
  for (const [i, client] of clients.entries()) {
    const friend = accounts[i ^ 1]!.hex
    for (let n = 0; n < 2; n++) {
      await client.request(`kez.inbox.${friend}`, "hello", headerBlock(`Kez-Id: ${kezId()}`))
    }
  }
  for (const [i, client] of clients.entries()) {
    lives.push(live(client, accounts[i]!.hex, accounts[i ^ 1]!.hex, message.pauseMillis))
  }
  process.send?.("ready")
})
process.on("disconnect", () => process.exit(0))
