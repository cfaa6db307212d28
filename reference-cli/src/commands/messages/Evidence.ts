/** What can be shown of one message to anybody: making the file, and checking one, for which no account is needed. */
import { EvidenceCheck } from "@kez-chat/sdk/crypto"
import { HttpHomes } from "@kez-chat/sdk/http"
import { HomeNetwork, NodeCrypto } from "@kez-chat/sdk/node"
import { Limits } from "@kez-chat/sdk/protocol"
import { Homes } from "@kez-chat/sdk/services"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import { type CliFailure, describe, fail, usage } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import * as NewFile from "../../NewFile.ts"
import * as Home from "../../profile/Home.ts"
import { reasonOf } from "../../SystemError.ts"
import { Json, note, result, Sanitise, Screen, Show, type Style, warn } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

export interface Input {
  readonly id: Option.Option<string>
  readonly check: Option.Option<string>
  readonly output: Option.Option<string>
  readonly offline: boolean
}

export const evidence = (input: Input) =>
  Option.match(input.check, {
    onNone: () => make(input),
    onSome: (file) => (Option.isSome(input.id) ? twoWays : check(file, input.offline))
  })

const twoWays = usage("say the id of a message, or --check FILE, not both")

const make = ({ id, output }: Input) =>
  withAccess(
    { command: "evidence", offline: true },
    Effect.fnUntraced(function* ({ chat }) {
      if (Option.isNone(id))
        return yield* usage("say the id of a message, as `history --json` shows it, or --check FILE")
      const file = Option.isNone(output) ? undefined : yield* NewFile.open(output.value)
      const text = `${yield* chat.evidence(id.value)}\n`
      if (file === undefined) return yield* (yield* Screen).emit(text)
      yield* file.write(text)
      yield* file.publish
      yield* note(
        `Whoever has ${Option.getOrElse(output, () => "")} can read that message and its receipts, and check them.`
      )
    })
  )

/** What no evidence can show. */
const limits =
  "An acceptance is no storage and no delivery: a home accepts frames of senders whom the recipient blocks. The lack of a receipt does not tell a lost message from a blocked, expired or trimmed one."

const read = (file: string): Effect.Effect<string, CliFailure> =>
  Effect.try({
    try: () => {
      if (fs.statSync(file).size > Limits.evidenceBytes)
        throw new Error(`it is larger than ${Limits.evidenceBytes} bytes`)
      return fs.readFileSync(file, "utf8")
    },
    catch: (error) => fail("file", "usage", `cannot read ${file}: ${reasonOf(error)}`)
  })

/** Whether the home names the key now; undefined where it could not be asked. */
const isNamed = Effect.fnUntraced(function* ({ key, server }: NonNullable<EvidenceCheck.Shown["acceptance"]>) {
  const { env } = yield* Host
  const home = (yield* settings).home ?? env["KEZ_HOME"]
  const chosen = home === undefined || home === "" ? undefined : Home.normalise(home)
  const urls = {
    ...(yield* Home.others),
    ...(chosen !== undefined && "url" in chosen ? { [server]: chosen.url } : {})
  }
  const homes = HttpHomes.layer({ urls, network: HomeNetwork.others() }).pipe(Layer.provide(NodeCrypto.layer))
  const asked = Homes.use((homes) => Effect.map(homes.at(server), ({ acceptanceKeys }) => acceptanceKeys.includes(key)))
  return yield* Effect.provide(asked, homes).pipe(
    Effect.catch((error) =>
      Effect.as(warn(`${server} was not asked for its keys: ${describe(error).message}`), undefined)
    )
  )
})

const check = Effect.fn("evidence --check")(function* (file: string, offline: boolean) {
  const shown = yield* Effect.provide(EvidenceCheck.check(yield* read(file)), NodeCrypto.layer)
  const { acceptance } = shown
  const named = acceptance === undefined || offline ? undefined : yield* isNamed(acceptance)
  yield* result({
    json: () => ({ evidence: Json.evidence(shown, named), limits }),
    text: (style) => lines(shown, named, style)
  })
  if (named === false) {
    return yield* fail(
      "key_not_named",
      "refused",
      `${acceptance?.server} does not name the key that signed the acceptance`
    )
  }
})

const when = (millis: number): string => `${Show.day(millis)} ${Show.clock(millis)}`

const lines = (shown: EvidenceCheck.Shown, named: boolean | undefined, style: Style): ReadonlyArray<string> => {
  const { acceptance, body, createdAt, from, receipts, to } = shown
  const text = typeof body["text"] === "string" ? body["text"] : `(${String(body["type"])})`
  const whose =
    named === undefined ? "not asked whether it is theirs" : named ? "named by them now" : "not named by them"
  return [
    `${style.good("signed")}  message ${shown.id}, ${when(createdAt)} by its author's clock`,
    `from    ${from}`,
    `to      ${to}`,
    ...Sanitise.text(text)
      .split("\n")
      .map((line) => `    ${line}`),
    acceptance === undefined
      ? style.dim("no acceptance of a home in this file")
      : `${style.good("accepted")}  ${when(acceptance.at)} by ${Sanitise.line(acceptance.server)}; key ${acceptance.key}, ${whose}`,
    ...(receipts.length === 0 ? [style.dim("no receipt in this file")] : []),
    ...receipts.map(({ createdAt, status }) => `${style.good(status)}  ${when(createdAt)} by the addressee's clock`),
    style.dim("Whose these keys are, compare elsewhere. Times of message and receipts are their authors' own."),
    style.dim(limits)
  ]
}
