/** Reports: what is taken, what is refused, and what the operator reads. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { MessageEvidence, SealedMessage } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Message, type Report } from "@kez-chat/sdk/protocol"
import { Cause, Console, Effect, Exit } from "effect"
import * as Command from "effect/cli/Command"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { admin as adminCommand } from "../../src/chat/commands/admin/AdminCommand.ts"
import {
  type Identity,
  newIdentity,
  post,
  registration,
  type Running,
  startChat,
  temporaryFolder
} from "../kits/Servers.ts"

const folder = temporaryFolder()
const db = join(folder.path, "registry.db")
let server: Running
let mallory: Identity
let bob: Identity

const register = async (handle: string) => {
  const identity = await newIdentity()
  expect((await post(`${server.url}/v1/register`, await registration(identity, handle))).status).toBe(201)
  return identity
}

beforeAll(async () => {
  server = await startChat(folder.path)
  ;[mallory, bob] = [await register("mallory"), await register("bobby")]
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

const id = () => randomBytes(16).toString("base64url")

/** What `to` can prove of a message that `from` wrote. */
const evidence = (from: Identity, to: Identity, text: string): Promise<Report.Evidence> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const body = { type: "text" as const, text, chain: { seq: 0, hash: `sha256:${"0".repeat(64)}` } }
      const header = { id: id(), to: to.key, device: id(), createdAt: Date.now() - (Date.now() % 1_000), seq: 0 }
      const { envelope, hash } = yield* SealedMessage.encrypt(from, { ...header, body })
      const { salt } = yield* Effect.fromResult(Message.parse(envelope))
      const { signature } = envelope
      return yield* MessageEvidence.disclose(to, { header: { ...header, from: from.key }, body, salt, signature, hash })
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

const report = async (
  reporter: Identity,
  change: Partial<Omit<Report.Report, "reporter">>,
  edit: (payload: Record<string, unknown>) => object = (payload) => payload
) => {
  const statement = {
    server: "localhost",
    reported: mallory.key,
    reason: "spam" as const,
    note: "again\u001b[2J and again",
    createdAt: Date.now(),
    messages: [],
    ...change
  }
  const envelope = await Effect.runPromise(reporter.signReport(statement))
  return post(`${server.url}/v1/report`, { ...envelope, payload: edit({ ...envelope.payload }) })
}

const admin = async (...args: ReadonlyArray<string>) => {
  const printed: Array<string> = []
  const exit = await Effect.runPromiseExit(
    Command.runWith(adminCommand, { version: "0.0.0" })(["report", ...args, "--db", db]).pipe(
      Effect.provideService(Console.Console, { ...console, log: (line: string) => printed.push(line) }),
      Effect.provide(NodeServices.layer)
    )
  )
  return { printed, failure: Exit.isSuccess(exit) ? undefined : String(Cause.squash(exit.cause)) }
}

it("KEZ-RPT-001 KEZ-RPT-004 takes a report once, and the operator reads its messages, closes it and deletes it", async () => {
  const messages = [await evidence(mallory, bob, "buy gold"), await evidence(mallory, bob, "now\u001b[2J!")]
  const createdAt = Date.now()
  const [first, again] = [await report(bob, { messages, createdAt }), await report(bob, { messages, createdAt })]
  expect([first.status, again.status, again.json]).toEqual([201, 200, first.json])
  const name = first.json["id"] as string
  expect((await admin("list")).printed).toEqual([
    expect.stringMatching(new RegExp(`^${name} \\S+ mallory by bobby: spam, 2 messages again \\[2J and again$`))
  ])
  const shown = (await admin("show", name)).printed.join("\n")
  expect(shown).toContain("buy gold")
  // eslint-disable-next-line no-control-regex
  expect(shown).not.toMatch(/\u001b/)
  const [details] = (await admin("show", name, "--json")).printed.map((line) => JSON.parse(line) as object)
  expect(details).toMatchObject({ reported: "mallory", shown: [{ body: { text: "buy gold" } }, {}], closedAt: null })
  expect((await admin("close", name, "--note", "warned")).failure).toBeUndefined()
  expect([(await admin("list")).printed, (await admin("list", "--all")).printed.length]).toEqual([[], 1])
  expect((await admin("show", "nothing")).failure).toContain("no report is nothing")
  expect((await admin("delete", name)).failure).toContain("give --yes")
  expect((await admin("delete", name, "--yes")).failure).toBeUndefined()
  expect((await admin("list", "--all")).printed).toEqual([])
})

it("KEZ-RPT-002 KEZ-RPT-003 refuses what is not the reporter's, not for this server, late, or not proven", async () => {
  const carol = await register("carol")
  const code = async (answer: ReturnType<typeof report>) => (await answer).json["code"]
  const toBob = await evidence(mallory, bob, "hello")
  expect(await code(report(bob, {}, (payload) => ({ ...payload, note: "changed" })))).toBe("signature_invalid")
  expect(await code(report(bob, { server: "kez.lat" }))).toBe("wrong_server")
  expect(await code(report(bob, { createdAt: Date.now() - 600_000 }))).toBe("clock_skew")
  expect(await code(report(carol, { messages: [toBob] }))).toBe("message_misdirected")
  expect(await code(report(bob, { messages: [await evidence(carol, bob, "x")] }))).toBe("message_misdirected")
  expect(await code(report(bob, { messages: [{ ...toBob, opens: new Uint8Array(44) }] }))).toBe("message_undecryptable")
  expect(await code(report(bob, { messages: Array.from({ length: 17 }, () => toBob) }))).toBe("envelope_malformed")
  expect(await code(report(await newIdentity(), {}))).toBe("handle_not_found")
  expect(await code(report(bob, { reported: (await newIdentity()).key }))).toBe("handle_not_found")
})

it("KEZ-RPT-005 bounds what one account reports in a day", async () => {
  const dave = await register("dave")
  const answers = []
  for (let n = 0; n < 21; n++) answers.push((await report(dave, { note: `${n}` })).status)
  expect(answers).toEqual([...Array.from({ length: 20 }, () => 201), 429])
})
