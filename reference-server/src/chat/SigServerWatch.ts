/**
 * Whether this home's sig-server works, asked as this server reaches it (`--sig-server-url`). Without it nobody can
 * create an account, and nobody can check a new contact's key, so health has to say it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { every } from "../process/Every.ts"
import { ChatConfig } from "./ChatConfig.ts"

/** `unreachable` when nothing answers at its address, `failing` when it says itself that it cannot work. */
export type SigServerState = "ok" | "unreachable" | "failing"

const everyMillis = 3_000
const answerMillis = 2_000

export class SigServerWatch extends Context.Service<
  SigServerWatch,
  {
    /** `ok` before the first answer too. */
    readonly state: () => SigServerState
  }
>()("@kez-chat/server/SigServerWatch") {
  static readonly layer: Layer.Layer<SigServerWatch, never, ChatConfig> = Layer.effect(
    SigServerWatch,
    Effect.suspend(() => make())
  )
}

/** For people: what users cannot do, and where to look. */
export const sentences: Readonly<Record<Exclude<SigServerState, "ok">, string>> = {
  unreachable: "the sig-server does not answer this server (--sig-server-url): nobody can create an account",
  failing: "the sig-server says that it cannot store events: nobody can create an account"
}

const make = Effect.fnUntraced(function* () {
  const { sigServerUrl } = yield* ChatConfig
  const url = `${sigServerUrl.replace(/\/+$/, "")}/v1/healthz`
  let state: SigServerState = "ok"

  const ask = Effect.tryPromise(async (signal) => {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(answerMillis)])
    const response = await fetch(url, { signal: timeout, redirect: "manual" })
    await response.body?.cancel()
    // Any other answer comes from a server that runs; another implementation may have no such route.
    return response.status >= 500 ? "failing" : "ok"
  }).pipe(Effect.orElseSucceed((): SigServerState => "unreachable"))

  const check = Effect.gen(function* () {
    let found = yield* ask
    // One lost connection, or a starved process, is not yet a failure.
    if (found !== "ok" && state === "ok") found = yield* ask
    if (found === state) return
    state = found
    yield* found === "ok"
      ? Effect.logInfo("the sig-server works again")
      : Effect.annotateLogs(Effect.logWarning("the sig-server does not work"), { reason: sentences[found] })
  })
  yield* every(everyMillis, "the sig-server was not asked", check)
  return SigServerWatch.of({ state: () => state })
})
