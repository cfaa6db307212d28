/** What channels read in recorded answers, over the SDK's own channels and bounds. */
import { Fetcher, HostPace, Target, Toolbox, type Tools, Unreachable } from "@kez-chat/sdk/proofs"
import { AddressClass, Identifier } from "@kez-chat/sdk/protocol"
import type { ProofUnreachable } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import { type Input, list, object, type Operation, text } from "./CaseInput.ts"

/** Answers by `fetch`; whoever is not in them does not answer. */
const replay =
  (answers: Input): typeof globalThis.fetch =>
  (url) => {
    const answer = answers[String(url)]
    if (answer === undefined) return Promise.reject(new TypeError("fetch failed"))
    const { body, headers = {}, spaces, status } = object(answer)
    const content = typeof spaces === "number" ? " ".repeat(spaces) : String(body)
    return Promise.resolve(
      new Response(status === 204 ? null : content, {
        status: Number(status),
        headers: object(headers) as Record<string, string>
      })
    )
  }

const silent = new Unreachable({ reason: "network", detail: "it does not answer" })
const fetchedAt = 0

const toolsOf = (answers: Input): Tools => {
  const platform = {
    fetch: replay(answers),
    webSocket: () => Promise.reject(silent),
    isChosen: () => false,
    isBrowser: false,
    txt: (name: string) => {
      const { exists = true, failure, records } = object(answers[`dns:${name}`] ?? { failure: "TIMEOUT" })
      if (failure !== undefined) return Effect.fail(silent)
      const strings = list(records) as ReadonlyArray<ReadonlyArray<string>>
      return Effect.succeed({ fetchedAt, records: strings, exists: exists === true })
    }
  }
  const services = { relays: [], xrpc: "https://public.api.bsky.app", plc: "https://plc.directory" }
  return {
    ...Toolbox.make(platform, HostPace.make(0), services),
    events: () =>
      Effect.succeed(
        Object.entries(answers)
          .filter(([url]) => url.startsWith("wss:"))
          .map(([relay, answer]) => {
            const { events, failure } = object(answer)
            return failure === undefined ? { relay, fetchedAt, events: list(events) } : silent
          })
      )
  }
}

const read: Operation = (input) =>
  Effect.gen(function* () {
    const subject = yield* Effect.fromResult(Identifier.parse(text(input, "subject")))
    const fetcher = Fetcher.make({
      tools: Effect.succeed(toolsOf(object(input["answers"]))),
      decompress: Effect.die("no text is judged here"),
      isBrowser: false
    })
    return yield* fetcher.fetch(subject).pipe(
      Effect.map(({ found, missed }) => ({
        found: found.map(({ text }) => text),
        ...(missed === undefined ? {} : { missed: missed.reason })
      })),
      Effect.catch(({ reason }: ProofUnreachable) => Effect.succeed({ unreachable: reason }))
    )
  })

const target: Operation = (input) =>
  Effect.suspend(() => {
    const refused = Effect.fail({ code: "address_forbidden" })
    const url = URL.parse(text(input, "url"))
    if (url === null) return refused
    const protocol = url.protocol.startsWith("ws") ? "wss:" : "https:"
    if (Target.refusal(url, protocol, () => false) !== undefined) return refused
    if (input["addresses"] === undefined) return Effect.succeed(null)
    const permitted = list(input["addresses"]).filter((one) => AddressClass.ofHost(String(one)) === "public")
    return permitted.length === 0 ? refused : Effect.succeed(permitted)
  })

export const proofOperations: Readonly<Record<string, Operation>> = { "proof.read": read, "proof.target": target }
