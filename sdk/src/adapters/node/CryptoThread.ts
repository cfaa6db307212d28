/**
 * X25519 and Ed25519 on a thread of its own, for many messages at a time: half of opening a backlog. The thread starts with
 * the first of them and ends when it has had nothing to do for a while; it keeps no program alive. It is given a handle of
 * the X25519 key and public values, never a seed. What it does not answer, for whatever reason, is computed by the caller.
 */
import type { KeyObject } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import type { Costly, SecretKey } from "../../services/Crypto.ts"
import * as Ed25519Equation from "../crypto-core/Ed25519Equation.ts"

/** Most jobs in one message to the thread, so that it and the caller work at the same time. */
const batchJobs = 64

/** How long the thread stays without work, in milliseconds. */
const idleMillis = 5_000

/** Inputs of a job: `enc`; or key, SHA-512 digest and signature. Its answer begins with 1 if there is one. */
const inputBytes = { agree: 32, verify: 160 }
const answerBytes = { agree: 33, verify: 2 }
type Kind = keyof typeof inputBytes

// Text, because a bundle of this module has no second file.
const program = `
const { createPublicKey, diffieHellman, verify } = require("node:crypto")
const { parentPort } = require("node:worker_threads")
Error.stackTraceLimit = 0
const publicKey = (crv, bytes) =>
  createPublicKey({ key: { kty: "OKP", crv, x: Buffer.from(bytes).toString("base64url") }, format: "jwk" })
const compute = {
  agree: (input, privateKey) => diffieHellman({ privateKey, publicKey: publicKey("X25519", input) }),
  verify: (input) => [
    verify(null, input.subarray(32, 96), publicKey("Ed25519", input.subarray(0, 32)), input.subarray(96)) ? 1 : 0
  ]
}
parentPort.on("message", ({ answer, input, kind, privateKey, size }) => {
  const answers = new Uint8Array((input.length / size) * answer)
  for (let job = 0; job * size < input.length; job++) {
    try {
      answers.set(compute[kind](input.subarray(job * size, (job + 1) * size), privateKey), job * answer + 1)
      answers[job * answer] = 1
    } catch {
      // No answer: the caller finds out why.
    }
  }
  parentPort.postMessage(answers)
})
`

type Done = (answer: Uint8Array | undefined) => void

/** Jobs of one kind, with one private key. */
interface Batch {
  readonly kind: Kind
  readonly privateKey: KeyObject | undefined
  readonly inputs: Array<Uint8Array>
  readonly done: Array<Done>
}

/**
 * `here` on the thread, and itself where there is no answer; `secretOf` gives the X25519 key of a secret. `run` is the
 * thread's program, which only tests replace.
 */
export const make = (
  here: Costly,
  secretOf: (key: SecretKey) => KeyObject,
  run: string = program
): Effect.Effect<Costly, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => start(run)),
      ({ close }) => Effect.sync(close)
    ),
    ({ ask }) => ({
      verify: (key, message, signature) =>
        // What OpenSSL is not asked about (see `NodeCrypto`), and what is no digest and signature.
        Ed25519Equation.hasIdentityR(signature) || message.length !== 64 || signature.length !== 64
          ? here.verify(key, message, signature)
          : Effect.flatMap(ask("verify", undefined, Bytes.concat(key.ed25519, message, signature)), (answer) =>
              answer === undefined ? here.verify(key, message, signature) : Effect.succeed(answer[0] === 1)
            ),
      agreeWithEphemeral: (key, enc) =>
        Effect.flatMap(ask("agree", secretOf(key), enc), (answer) =>
          answer === undefined ? here.agreeWithEphemeral(key, enc) : Effect.succeed(answer)
        )
    })
  )

const start = (run: string) => {
  let worker: Worker | undefined
  let isOver = false
  let idle: NodeJS.Timeout | undefined
  let sent: Array<Batch> = []
  const gathering = new Map<Kind, Batch>()

  const end = () => {
    clearTimeout(idle)
    void worker?.terminate()
    worker = undefined
    const left = [...sent, ...gathering.values()]
    sent = []
    gathering.clear()
    for (const { done } of left) for (const each of done) each(undefined)
  }
  const close = () => {
    isOver = true
    end()
  }

  const launch = (): Worker => {
    // The caller's flags and environment are not for it. It holds a few batches of some kilobytes.
    const limits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }
    const launched = new Worker(run, { eval: true, execArgv: [], env: {}, resourceLimits: limits })
    launched.on("message", (answers: Uint8Array) => {
      const batch = launched === worker ? sent.shift() : undefined
      if (batch === undefined) return
      const size = answerBytes[batch.kind]
      for (const [job, each] of batch.done.entries()) {
        const answer = answers.subarray(job * size, (job + 1) * size)
        each(answer[0] === 1 && answer.length === size ? answer.slice(1) : undefined)
      }
      if (sent.length > 0) return
      launched.unref()
      idle = setTimeout(end, idleMillis).unref()
    })
    for (const event of ["error", "messageerror", "exit"]) launched.on(event, () => launched === worker && close())
    return launched
  }

  const post = (batch: Batch) => {
    if (gathering.get(batch.kind) !== batch) return
    gathering.delete(batch.kind)
    sent.push(batch)
    const { inputs, kind, privateKey } = batch
    const sizes = { size: inputBytes[kind], answer: answerBytes[kind] }
    try {
      worker ??= launch()
      clearTimeout(idle)
      // Messages that wait for answers keep the program alive.
      worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      worker.postMessage({ kind, privateKey, input: Bytes.concat(...inputs), ...sizes })
    } catch {
      close()
    }
  }

  const ask = (
    kind: Kind,
    privateKey: KeyObject | undefined,
    input: Uint8Array
  ): Effect.Effect<Uint8Array | undefined> =>
    Effect.callback((resume) => {
      if (isOver || input.length !== inputBytes[kind]) return resume(Effect.undefined)
      let batch = gathering.get(kind)
      if (batch !== undefined && batch.privateKey !== privateKey) {
        post(batch)
        batch = undefined
      }
      if (batch === undefined) {
        const gathered: Batch = { kind, privateKey, inputs: [], done: [] }
        batch = gathered
        gathering.set(kind, batch)
        setImmediate(() => post(gathered))
      }
      batch.inputs.push(input)
      batch.done.push((answer) => resume(Effect.succeed(answer)))
      if (batch.inputs.length === batchJobs) post(batch)
    })

  return { ask, close }
}
