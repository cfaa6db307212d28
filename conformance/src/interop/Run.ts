/** Implementations in pairs at a home server: each with each, also with itself, in both directions. */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hashOf, Keys } from "../clients/crypto/Keys.ts"
import { blake3Of, bytesOf, fileOf, sealEntry, signManifest } from "../clients/crypto/Manifests.ts"
import { hasStatus } from "../servers/Expect.ts"
import { NotChecked, Violation } from "../servers/Outcome.ts"
import { Target, TargetUnusable } from "../servers/Target.ts"
import { whenInterrupted } from "../suite/Interrupt.ts"
import type { Verdict } from "../suite/Verdict.ts"
import type { Client } from "../clients/Client.ts"
import type { Account, Implementation, Place } from "./Implementation.ts"
import { type Pair, steps } from "./Steps.ts"

export interface StepResult {
  readonly step: string
  readonly verdict: Extract<Verdict, "pass" | "fail" | "untestable" | "not-applicable">
  /** What is wrong, in a sentence; absent for a pass. */
  readonly message?: string
  readonly expected?: unknown
  readonly actual?: unknown
}

/** A client, and why it could not be opened. */
interface Side {
  readonly implementation: Implementation
  readonly client: Client
  readonly fault?: string
}

export interface PairResult {
  readonly from: string
  readonly to: string
  readonly steps: ReadonlyArray<StepResult>
}

const sentenceOf = (error: unknown): string => (error as Error).message

/** The home server of a run, and the accounts that the run made there. */
export class Meeting {
  readonly place: Place
  /** Who may register at the home server, as its description says. */
  readonly admits: string
  readonly #home: Target
  readonly #sig: Target
  readonly #accounts: Array<Account> = []
  readonly #forget = whenInterrupted(() => this.end())

  private constructor(home: Target, sig: Target, admits: string, { invite, server }: Pick<Place, "invite" | "server">) {
    this.#home = home
    this.admits = admits
    this.#sig = sig
    this.place = { home: home.url, invite, server, folder: mkdtempSync(join(tmpdir(), "kez-interop-")) }
  }

  /** Fails with `TargetUnusable` if no home server answers there. */
  static async begin(url: string, timeoutMillis: number, invite?: string): Promise<Meeting> {
    const home = new Target(url, timeoutMillis)
    try {
      const {
        registration = "open",
        server,
        sig_server: sig
      } = JSON.parse((await home.get("/.well-known/kez-chat")).text)
      if (typeof server !== "string" || typeof sig !== "string") throw new Error("it does not describe a home server")
      return new Meeting(home, new Target(sig.replace(/\/+$/, ""), timeoutMillis), String(registration), {
        invite,
        server
      })
    } catch (error) {
      throw new TargetUnusable(`${url}/.well-known/kez-chat: ${(error as Error).message}`)
    }
  }

  /** Opens a client that makes its account, in an implementation. */
  async join(implementation: Implementation): Promise<Side> {
    const account = { keys: new Keys(), local: `kezct-${randomBytes(6).toString("hex")}` }
    const client = implementation.client(account, this.place)
    try {
      this.#accounts.push(account)
      await client.open("new")
      return { implementation, client }
    } catch (error) {
      return { implementation, client, fault: sentenceOf(error) }
    }
  }

  /** Publishes a list of files of which nothing but the list exists. */
  async publish(owner: Keys, everybody: string, files: ReadonlyArray<readonly [reader: Keys, name: string]>) {
    const entries = [
      { id: randomBytes(16).toString("base64url"), public: fileOf(owner, everybody) },
      ...files.map(([reader, name]) => sealEntry(owner, [owner, reader], fileOf(owner, name)))
    ]
    const body = bytesOf(signManifest(owner, 1, entries))
    const stored = await this.#home.ask("PUT", `/v1/manifests/ed25519/${owner.hex}`, { body })
    hasStatus(stored, 200, 201)
    const path = `/v1/sigchains/ed25519/${owner.hex}`
    const chain = await this.#sig.get(path)
    hasStatus(chain, 200)
    const last = JSON.parse(chain.text.trim().split("\n").at(-1)!)
    const event = owner.sign("sigchain_event", {
      type: "kez.sigchain.event",
      version: 1,
      primary: owner.primary,
      seq: last.payload.seq + 1,
      prev: hashOf(last),
      created_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      op: "set_shared_files",
      payload: { manifest: blake3Of(body), size: body.length, revision: 1 }
    })
    // 200 where the event is there already: the request was sent again after its answer was lost.
    hasStatus(await this.#sig.post(`${path}/events`, event), 200, 201)
  }

  /** Deletes the accounts and the stores; the handles of the accounts that remain. */
  async end(): Promise<ReadonlyArray<string>> {
    this.#forget()
    rmSync(this.place.folder, { recursive: true, force: true })
    const left: Array<string> = []
    for (const { keys, local } of this.#accounts) {
      const deletion = keys.sign("handle_deletion", {
        type: "kez.chat.handle_deletion",
        version: 1,
        handle: local,
        server: this.place.server,
        primary: keys.primary,
        created_at: new Date().toISOString().replace(/\.\d+Z$/, "Z")
      })
      const status = await this.#home.post("/v1/delete", deletion).then(
        (answer) => answer.status,
        () => 0
      )
      // 404: it was never made.
      if (status !== 204 && status !== 404) left.push(local)
    }
    return left
  }
}

/** Runs the steps of a pair; a step whose needs have not passed is `untestable`. */
const meet = async (pair: Pair, hasFiles: boolean): Promise<ReadonlyArray<StepResult>> => {
  const results: Array<StepResult> = []
  for (const { name, needs, run } of steps) {
    const missing = needs.find((need) => results.find(({ step }) => step === need)?.verdict !== "pass")
    if (missing !== undefined) results.push({ step: name, verdict: "untestable", message: `${missing} did not pass` })
    else if (name === "files" && !hasFiles) results.push({ step: name, verdict: "not-applicable" })
    else
      try {
        await run(pair)
        results.push({ step: name, verdict: "pass" })
      } catch (error) {
        const { actual, expected } = error instanceof Violation ? error : {}
        results.push({
          step: name,
          verdict: error instanceof NotChecked ? error.verdict : "fail",
          message: sentenceOf(error),
          ...(expected === undefined ? {} : { expected }),
          ...(actual === undefined ? {} : { actual })
        })
      }
  }
  return results
}

/** Every implementation has two accounts: one that writes first to all others, and one that all others write to. */
export const runInterop = async (
  implementations: ReadonlyArray<Implementation>,
  meeting: Meeting,
  onResult: (result: PairResult) => void
): Promise<ReadonlyArray<PairResult>> => {
  const writers: Array<Side> = []
  const readers: Array<Side> = []
  for (const implementation of implementations) {
    writers.push(await meeting.join(implementation))
    readers.push(await meeting.join(implementation))
  }
  const everybody = "for everybody.txt"
  for (const [index, { client, fault }] of readers.entries())
    if (fault === undefined)
      await meeting.publish(
        client.keys,
        everybody,
        writers.map((writer, at) => [writer.client.keys, `for ${at} of ${index}.txt`] as const)
      )
  const results: Array<PairResult> = []
  for (const [at, writer] of writers.entries())
    for (const [index, reader] of readers.entries()) {
      const fault = writer.fault ?? reader.fault
      const names = { from: writer.implementation.name, to: reader.implementation.name }
      const result: PairResult = {
        ...names,
        steps:
          fault === undefined
            ? await meet(
                {
                  from: writer.client,
                  to: reader.client,
                  restored: writer.implementation.client(reader.client, meeting.place),
                  shared: [everybody, `for ${at} of ${index}.txt`]
                },
                writer.implementation.has("client.manifest")
              )
            : steps.map(({ name }) => ({ step: name, verdict: "untestable" as const, message: fault }))
      }
      results.push(result)
      onResult(result)
    }
  for (const { client, fault } of [...writers, ...readers])
    if (fault === undefined) await client.close().catch(() => undefined)
  return results
}
