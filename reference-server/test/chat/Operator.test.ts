/** What an operator decides: who may register, who is shut out; and that every decision is written down. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit } from "effect"
import * as Command from "effect/cli/Command"
import { readFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { admin as adminCommand } from "../../src/chat/commands/admin/AdminCommand.ts"
import {
  deletion,
  get,
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

const publishes = ["--contact", "mailto:abuse@kez.lat", "--terms-url", "https://kez.lat/terms"]

beforeAll(async () => {
  server = await startChat(folder.path, ["--registration", "invite", ...publishes])
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

/** Runs an admin command in this process: its lines, and why it failed. */
const admin = async (...args: ReadonlyArray<string>) => {
  const lines: Array<string> = []
  const log = (line: string) => lines.push(line)
  const exit = await Effect.runPromiseExit(
    Command.runWith(adminCommand, { version: "0.0.0" })([...args, "--db", db]).pipe(
      Effect.provideService(Console.Console, { ...console, log, error: () => {} }),
      Effect.provide(NodeServices.layer)
    )
  )
  return { lines, failure: Exit.isSuccess(exit) ? undefined : String(Cause.squash(exit.cause)) }
}

/** The JSON that a command prints, which must succeed. */
const json = async (...args: ReadonlyArray<string>) => {
  const { failure, lines } = await admin(...args, "--json")
  expect(failure).toBeUndefined()
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const invite = async (...args: ReadonlyArray<string>) => {
  const [made] = await json("invite", "create", ...args)
  return made as { readonly id: string; readonly code: string }
}

let made = 0

/** Registers a new handle with an invite, if one is given. */
const register = async (code?: string, body: (registration: object) => object = (registration) => registration) => {
  const identity = await newIdentity()
  const handle = `person${made++}`
  const statement = await registration(identity, handle)
  const answer = await post(
    `${server.url}/v1/register`,
    body(code === undefined ? statement : { invite: code, registration: statement })
  )
  return { answer, code: answer.json["code"], handle, identity, statement }
}

describe("a home that asks for invites", () => {
  it("KEZ-REG-056 KEZ-REG-057 says so in its description, with its operator's addresses", async () => {
    const { json } = await get(`${server.url}/.well-known/kez-chat`)
    expect(json).toMatchObject({
      registration: "invite",
      operator: { contact: "mailto:abuse@kez.lat", terms: "https://kez.lat/terms" }
    })
  })

  it("KEZ-REG-047 refuses whoever has none, or one that is unknown", async () => {
    expect(await register()).toMatchObject({ answer: { status: 403 }, code: "invite_required" })
    expect(await register("abcdefgh")).toMatchObject({ answer: { status: 403 }, code: "invite_invalid" })
  })

  it("KEZ-REG-046 refuses an invite of another form, and other members", async () => {
    for (const code of ["", "x".repeat(65), "a b", "ä"]) {
      expect(await register(code)).toMatchObject({ answer: { status: 400 }, code: "envelope_malformed" })
    }
    const { code } = await invite()
    const more = (body: object) => ({ ...body, note: "hello" })
    expect(await register(code, more)).toMatchObject({ code: "envelope_malformed" })
  })

  it("KEZ-REG-050 KEZ-REG-051 lets in as many as it says, whatever its case, and keeps no code", async () => {
    const { code, id } = await invite("--uses", "2", "--note", "for the choir")
    expect(code).toMatch(/^[a-km-np-z2-9]{26}$/)
    const first = await register(code.toUpperCase())
    expect(first.answer.status).toBe(201)
    expect((await register(code)).answer.status).toBe(201)
    expect((await register(code)).code).toBe("invite_invalid")
    const [account] = await json("account", first.handle)
    expect(account).toMatchObject({ state: "active", invite: id, mailBytes: 0 })
    const listed = await json("invite", "list", "--all")
    expect(listed).toContainEqual(expect.objectContaining({ id, uses: 2, used: 2, note: "for the choir" }))
    expect((await json("invite", "list")).map((each) => each["id"])).not.toContain(id)
    expect(JSON.stringify(listed)).not.toContain(code)
    expect(readFileSync(db, "latin1") + readFileSync(`${db}-wal`, "latin1")).not.toContain(code)
  })

  it("KEZ-REG-050 lets exactly one of many racers have the last use", async () => {
    const { code } = await invite()
    const racers = await Promise.all(Array.from({ length: 12 }, () => register(code)))
    const outcomes = racers.map(({ answer, code }) => (answer.status === 201 ? "in" : code))
    expect(outcomes.toSorted()).toEqual(["in", ...Array.from({ length: 11 }, () => "invite_invalid")])
  })

  it("KEZ-REG-050 does not count a registration that is refused, and KEZ-REG-049 a repeat needs no invite", async () => {
    const { code } = await invite()
    const taken = await register((await invite()).code)
    const other = await newIdentity()
    const statement = await registration(other, taken.handle)
    const refused = await post(`${server.url}/v1/register`, { invite: code, registration: statement })
    expect(refused.json["code"]).toBe("handle_taken")
    expect((await register(code)).answer.status).toBe(201)
    expect((await post(`${server.url}/v1/register`, taken.statement)).status).toBe(200)
    expect((await post(`${server.url}/v1/register`, { invite: code, registration: taken.statement })).status).toBe(200)
  })

  it("does not let in with one that was revoked or has expired", async () => {
    const revoked = await invite()
    expect((await admin("invite", "revoke", revoked.id)).failure).toBeUndefined()
    expect((await admin("invite", "revoke", revoked.id)).failure).toBeUndefined()
    expect((await register(revoked.code)).code).toBe("invite_invalid")
    expect((await admin("invite", "revoke", "nothing")).failure).toContain("no invite is nothing")
    expect((await admin("invite", "create", "--expires", "soon")).failure).toContain("such as 12h, 7d or 2w")
    const kept = await json("audit", "--of", revoked.id)
    expect(kept.map(({ action }) => action)).toEqual(["invite-revoke", "invite-create"])
  })
})

describe("a home that is closed", () => {
  it("KEZ-REG-048 KEZ-REG-049 takes nobody, also with an invite, and repeats those it has", async () => {
    const known = await register((await invite()).code)
    const { code } = await invite()
    const closed = await startChat(folder.path, ["--registration", "closed"])
    try {
      expect((await get(`${closed.url}/.well-known/kez-chat`)).json["registration"]).toBe("closed")
      const statement = await registration(await newIdentity(), "latecomer")
      for (const body of [statement, { invite: code, registration: statement }]) {
        const { json, status } = await post(`${closed.url}/v1/register`, body)
        expect([status, json["code"]]).toEqual([403, "registration_closed"])
      }
      expect((await post(`${closed.url}/v1/register`, known.statement)).status).toBe(200)
    } finally {
      await closed.stop()
    }
  })
})

describe("suspending", () => {
  it("is seen by the first lookup after the command, which is another process for the server", async () => {
    const { code } = await invite()
    const { handle } = await register(code)
    const lookup = async () => (await get(`${server.url}/v1/u/${handle}`)).status
    for (let round = 0; round < 10; round++) {
      expect([await lookup(), await lookup()]).toEqual([200, 200])
      await json("suspend", handle, "--internal-port", "1")
      expect(await lookup()).toBe(403)
      await json("unsuspend", handle)
    }
  })

  const newAccount = async () => register((await invite()).code)

  it("KEZ-REG-053 hides the account and lets it in again, and nothing of it is lost", async () => {
    const { handle, identity, statement } = await newAccount()
    const lookups = [
      `v1/u/${handle}`,
      `v1/by-primary/${identity.primary}`,
      `.well-known/webfinger?resource=acct:${handle}@localhost`
    ]
    // Remembered for the hot path.
    for (const path of lookups) expect((await get(`${server.url}/${path}`)).status).toBe(200)
    const [suspended] = await json("suspend", handle, "--note", "spam", "--internal-port", "1")
    expect(suspended).toMatchObject({ handle, state: "suspended", endedAt: null })
    await expect
      .poll(async () => (await get(`${server.url}/v1/u/${handle}`)).json["code"], { timeout: 2_000 })
      .toBe("account_suspended")
    for (const path of lookups) {
      const { json, status } = await get(`${server.url}/${path}`)
      expect([path, status, json["code"]]).toEqual([path, 403, "account_suspended"])
    }
    expect((await post(`${server.url}/v1/register`, statement)).json["code"]).toBe("account_suspended")
    const other = await registration(identity, "elsewhere")
    expect((await post(`${server.url}/v1/register`, other)).json["code"]).toBe("account_suspended")
    expect(await json("list", "--state", "suspended")).toContainEqual(expect.objectContaining({ handle }))
    expect((await json("list", "--state", "active")).map((each) => each["handle"])).not.toContain(handle)
    expect((await get(`${server.internal}/metrics`)).text).toMatch(/^kez_accounts\{state="suspended"\} 1$/m)
    const put = await fetch(`${server.url}/v1/manifests/ed25519/${identity.key.hex}`, { method: "PUT", body: "{}" })
    expect(await put.json()).toMatchObject({ code: "account_suspended" })

    const [active] = await json("unsuspend", handle)
    expect(active).toMatchObject({ handle, state: "active", suspendedAt: null })
    for (const path of lookups) expect((await get(`${server.url}/${path}`)).status).toBe(200)
    const kept = await json("audit", "--of", handle)
    const actor = `user ${userInfo().username}`
    expect(kept.map(({ action, note }) => [action, note])).toEqual([
      ["unsuspend", ""],
      ["suspend", "spam"]
    ])
    expect(kept.every((entry) => String(entry["actor"]).startsWith("user "))).toBe(true)
    if (process.env["SUDO_USER"] === undefined) expect(kept[0]?.["actor"]).toBe(actor)
  })

  it("KEZ-REG-055 leaves the owner the right to delete the account", async () => {
    const { handle, identity } = await newAccount()
    await json("suspend", handle, "--internal-port", "1")
    expect((await post(`${server.url}/v1/delete`, await deletion(identity, handle))).status).toBe(204)
    expect((await get(`${server.url}/v1/u/${handle}`)).json["code"]).toBe("handle_deleted")
    expect((await admin("unsuspend", handle)).failure).toContain("given up or revoked")
    const [account] = await json("account", handle)
    expect(account).toMatchObject({ state: "deleted", invite: null })
  })

  it("is no revocation: that asks, and cannot be undone", async () => {
    const { handle } = await newAccount()
    expect((await admin("revoke", handle)).failure).toContain("give --yes")
    expect((await get(`${server.url}/v1/u/${handle}`)).status).toBe(200)
    const [revoked] = await json("revoke", handle, "--yes", "--note", "court order", "--internal-port", "1")
    expect(revoked).toMatchObject({ state: "revoked" })
    expect((await admin("suspend", handle)).failure).toContain("given up or revoked")
    expect(await json("audit", "--of", handle)).toMatchObject([{ action: "revoke", note: "court order" }])
    expect((await admin("account", "nobody-here")).failure).toContain("nobody has registered it")
  })
})
