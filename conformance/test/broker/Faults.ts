/** Ways in which brokers, and home servers behind them, are wrong. */
import type { Mutant } from "../MutantProxy.ts"
import { type Faults, type Op, type Session } from "./BrokerProxy.ts"

export interface BrokerMutant extends Faults {
  readonly name: string
  /** Patterns of the checks that must fail. */
  readonly kills: ReadonlyArray<string>
  /** Checks that must run too, without which there is nothing to notice. */
  readonly also?: ReadonlyArray<string>
  /** Where it is wrong; over TCP by default. */
  readonly port?: "websocket"
  /** What the home server answers over HTTP once it was restarted. */
  readonly afterRestart?: Mutant["answer"]
}

/** Faults that keep something during a run, and so are made for each. */
export type MutantMaker = () => BrokerMutant

export const subjectOf = (op: Op | undefined): string => op?.words[0] ?? ""
export const isRequest = (what: string, op: Op | undefined): op is Op =>
  op?.verb === "PUB" && subjectOf(op).startsWith(`kez.${what}.`)
export const isDelivery = ({ verb, words }: Op): boolean => verb === "MSG" && words[0]!.startsWith("kez.dlv.")
export const recipientOf = (op: Op): string => subjectOf(op).split(".")[2] ?? ""
export const textOf = ({ payload }: Op): string => payload.toString("latin1")
export const jsonOf = (op: Op): Record<string, unknown> => {
  try {
    return JSON.parse(textOf(op)) as Record<string, unknown>
  } catch {
    return {}
  }
}
export const holding = (op: Op, payload: unknown): Op => ({
  ...op,
  payload: Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload))
})
export const kezIdOf = ({ header }: Op): string => /^Kez-Id: (.*)\r$/m.exec(header)?.[1] ?? ""
export const freshId = (op: Op): Op => {
  const id = crypto.getRandomValues(Buffer.alloc(16)).toString("base64url")
  return { ...op, header: op.header.replace(/^Kez-Id: [\w-]{22}\r$/m, `Kez-Id: ${id}\r`) }
}
export const ok = '{"ok":1}'
export const refusal = (e: string): string => JSON.stringify({ e })

/** Refuses with another code than the right one, or accepts. */
export const confuses = (what: string, code: string, other: string, kills: ReadonlyArray<string>): BrokerMutant => ({
  name: `answers a ${what === "inbox" ? "send" : what} with ${other} instead of ${code}`,
  kills,
  down: (op, _, request) =>
    isRequest(what, request) && jsonOf(op)["e"] === code
      ? [holding(op, other === "ok" ? ok : refusal(other))]
      : undefined
})

/** Changes requests of a kind before the server sees them. */
export const asks = (
  name: string,
  what: string,
  kills: ReadonlyArray<string>,
  change: (op: Op, session: Session) => Op | undefined
): BrokerMutant => ({
  name,
  kills,
  up: (op, session) => (isRequest(what, op) ? [change(op, session) ?? op] : undefined)
})

/** Changes JSON answers to requests of a kind that were successful. */
export const reports = (
  name: string,
  kills: ReadonlyArray<string>,
  change: (report: { readonly used: number; readonly strangers?: { readonly used: number } }) => object
): BrokerMutant => ({
  name,
  kills,
  down: (op, _, request) => {
    const report = jsonOf(op)
    return isRequest("trim", request) && report["ok"] === 1
      ? [holding(op, { ...report, ...change(report as unknown as { used: number }) })]
      : undefined
  }
})

/** Changes pages. */
export const pages = (
  name: string,
  kills: ReadonlyArray<string>,
  change: (page: Buffer, session: Session, request: Op) => Buffer
): BrokerMutant => ({
  name,
  kills,
  down: (op, session, request) =>
    isRequest("fetch", request) && op.payload[0] === 1
      ? [holding(op, change(Buffer.from(op.payload), session, request))]
      : undefined
})

/** Changes the headers of live deliveries. */
export const delivers = (name: string, kills: ReadonlyArray<string>, from: RegExp, to: string): BrokerMutant => ({
  name,
  kills,
  down: (op) => (isDelivery(op) ? [{ ...op, header: op.header.replace(from, to) }] : undefined)
})

/** Adds lines to the headers of live deliveries, made of the send that they come from. */
export const tells = (
  name: string,
  kills: ReadonlyArray<string>,
  made: (sent: Op, sender: string) => string | undefined
): MutantMaker => {
  return () => {
    const sent = new Map<string, string>()
    return {
      name,
      kills,
      up: (op, { hex }) => {
        const added = isRequest("inbox", op) ? made(op, hex) : undefined
        if (added !== undefined) sent.set(op.payload.toString("base64"), added)
        return undefined
      },
      down: (op) => {
        const added = isDelivery(op) ? sent.get(op.payload.toString("base64")) : undefined
        return added === undefined ? undefined : [{ ...op, header: op.header.replace("\r\n", `\r\n${added}\r\n`) }]
      }
    }
  }
}

/** Reports no violation for subjects that fit. */
export const allows = (
  name: string,
  fitting: RegExp,
  kills: ReadonlyArray<string>,
  port?: "websocket"
): BrokerMutant => ({
  name,
  kills,
  ...(port === undefined ? {} : { port }),
  down: (op) => (op.verb === "-ERR" && fitting.test(op.words.join(" ")) ? [] : undefined)
})

/** The frames of a page: where each begins, and where the last ends. */
export const framesOf = (page: Buffer): ReadonlyArray<number> => {
  const starts = [79]
  for (let i = 0; i < page.readUInt16BE(77); i++) starts.push(starts[i]! + 20 + page.readUInt32BE(starts[i]! + 16))
  return starts
}

/** A page without some of its frames. */
export const withoutFrames = (page: Buffer, isLeft: (index: number, count: number) => boolean): Buffer => {
  const starts = framesOf(page)
  const count = starts.length - 1
  const left = starts
    .slice(0, -1)
    .flatMap((start, i) => (isLeft(i, count) ? [page.subarray(start, starts[i + 1])] : []))
  const head = Buffer.from(page.subarray(0, 79))
  head.writeUInt16BE(left.length, 77)
  return Buffer.concat([head, ...left])
}

/** A block list that the proxy keeps beside the server's. */
export const knowsBlocked = (
  faults: (isBlocked: (sender: string, owner: string) => boolean) => BrokerMutant
): MutantMaker => {
  return () => {
    const blocked = new Set<string>()
    const mutant = faults((sender, owner) => blocked.has(owner + sender))
    return {
      ...mutant,
      up: (op, session) => {
        const { op: change, who } = isRequest("block", op) ? jsonOf(op) : {}
        if (change === "add") blocked.add(session.hex + String(who))
        if (change === "remove") blocked.delete(session.hex + String(who))
        return mutant.up?.(op, session)
      }
    }
  }
}

export const isSendTo = (op: Op, session: Session, isBlocked: (sender: string, owner: string) => boolean): boolean =>
  isRequest("inbox", op) && isBlocked(session.hex, recipientOf(op))
