/** The operator's API: its OpenAPI document is well-formed, and every answer is what the document says. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { get, newIdentity, post, registration, run, type Running, startChat, temporaryFolder } from "../kits/Servers.ts"

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly security?: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: object }
}

const folder = temporaryFolder()
let server: Running
let document: Document
let token: string

beforeAll(async () => {
  server = await startChat(folder.path, ["--registration", "invite"])
  token = readFileSync(join(folder.path, "keys", "internal.secret"), "utf8").trim()
  document = JSON.parse((await get(`${server.internal}/internal/admin/openapi.json`)).text) as Document
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** Calls an operation and holds its answer to the document. */
const call = async (method: string, path: string, body?: unknown, bearer = token) => {
  const answer = await get(`${server.internal}/internal/admin/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body === undefined ? {} : { "content-type": "application/json" })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const pattern = Object.keys(document.paths).find((each) =>
    new RegExp(`^${each.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(`/internal/admin/${path.split("?")[0]}`)
  )
  const operation = document.paths[pattern ?? ""]?.[method.toLowerCase()]
  const response = operation?.responses[String(answer.status)]
  expect([method, path, answer.status, response === undefined]).toEqual([method, path, answer.status, false])
  const schema = Object.values(response?.content ?? {})[0]?.schema
  if (schema !== undefined) {
    const validate = ajv.compile({ ...schema, components: document.components })
    expect([method, path, validate(JSON.parse(answer.text)), validate.errors]).toEqual([method, path, true, null])
  } else expect(answer.text).toBe("")
  return { status: answer.status, body: (answer.text === "" ? undefined : JSON.parse(answer.text)) as never }
}

describe("the operator's API", () => {
  it("has an OpenAPI 3.1 document whose references resolve and whose schemas are schemas", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/)
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!)
    for (const reference of references) {
      const found = reference
        .replace(/^#\//, "")
        .split("/")
        .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
      expect([reference, found !== undefined]).toEqual([reference, true])
    }
    for (const schema of Object.values(document.components.schemas)) {
      ajv.compile({ ...schema, components: document.components })
    }
    const operations = Object.values(document.paths).flatMap((each) => Object.values(each))
    expect(operations.length).toBeGreaterThan(10)
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operationId, responses, security, summary } of operations) {
      expect([operationId, summary !== undefined, security]).toEqual([operationId, true, [{ bearer: [] }]])
      expect(Object.keys(responses)).toContain("401")
    }
    expect(document.components.securitySchemes).toMatchObject({ bearer: { type: "http", scheme: "Bearer" } })
  })

  it("lets nobody in without the token, and never on the public listener", async () => {
    for (const bearer of ["", "x", token.slice(1)]) {
      expect((await call("GET", "accounts", undefined, bearer)).status).toBe(401)
    }
    const bare = await get(`${server.internal}/internal/admin/accounts`)
    expect([bare.status, bare.json["code"]]).toEqual([401, "unauthorized"])
    const outside = await get(`${server.url}/internal/admin/accounts`, {
      headers: { authorization: `Bearer ${token}` }
    })
    expect(outside.status).toBe(404)
  })

  it("makes invites, suspends, revokes and reserves, and writes all of it down", async () => {
    const made = await call("POST", "invites", { uses: 2, expiresInSeconds: 3_600, note: "choir" })
    const { code, id } = made.body as { code: string; id: string }
    const identity = await newIdentity()
    const statement = await registration(identity, "chorister")
    const registered = await post(`${server.url}/v1/register`, { invite: code, registration: statement })
    expect([made.status, registered.status]).toEqual([201, 201])
    expect((await call("GET", "invites")).body).toMatchObject([{ id, uses: 2, used: 1, note: "choir" }])
    expect((await call("GET", "accounts?state=active&limit=5")).body).toMatchObject([
      { handle: "chorister", invite: id }
    ])
    expect((await call("POST", "accounts/chorister/suspend", { note: "spam" })).body).toMatchObject({
      state: "suspended"
    })
    expect((await get(`${server.url}/v1/u/chorister`)).json["code"]).toBe("account_suspended")
    expect((await call("POST", "accounts/chorister/unsuspend", {})).body).toMatchObject({ state: "active" })
    expect((await call("POST", "accounts/chorister/revoke", { confirm: "other" })).status).toBe(400)
    expect((await call("POST", "accounts/chorister/revoke", { confirm: "chorister" })).body).toMatchObject({
      state: "revoked"
    })
    expect((await call("GET", "accounts/chorister")).body).toMatchObject({
      primary: identity.primary,
      state: "revoked",
      audit: [{ action: "revoke" }, { action: "unsuspend" }, { action: "suspend", note: "spam" }]
    })
    expect((await call("PUT", "reserved/trademark", { reserved: true, note: "dispute" })).status).toBe(200)
    expect((await call("GET", "reserved")).body).toEqual([{ handle: "trademark", reserved: true, note: "dispute" }])
    expect((await call("POST", `invites/${id}/revoke`, { note: "over" })).status).toBe(204)
    const entries = (await call("GET", "audit?limit=3")).body as ReadonlyArray<{ id: number; actor: string }>
    expect(entries).toMatchObject([{ action: "invite-revoke" }, { action: "reserve" }, { action: "revoke" }])
    expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set(["token internal.secret"]))
    const before = (await call("GET", `audit?before=${entries.at(-1)!.id}&subject=chorister`)).body
    expect(before).toMatchObject([{ action: "unsuspend" }, { action: "suspend" }])
  })

  it("takes tokens by name, and none that was revoked", async () => {
    const admin = (...args: ReadonlyArray<string>) =>
      run("chat-server", ["admin", "token", ...args, "--db", join(folder.path, "registry.db")])
    const made = await admin("create", "backoffice", "--note", "the shop's own panel")
    const own = made.stdout.trim()
    expect(own).toMatch(/^kezadm_[\w-]{43}$/)
    expect((await call("PUT", "reserved/shop", { reserved: true }, own)).status).toBe(200)
    expect((await call("GET", "audit?limit=2", undefined, own)).body).toMatchObject([
      { actor: "token backoffice", action: "reserve" },
      { action: "token-create", subject: "backoffice" }
    ])
    // What only the home's own programs may.
    const removals = await post(`${server.internal}/internal/removals`, "", {
      headers: { authorization: `Bearer ${own}` }
    })
    expect(removals.status).toBe(401)
    expect((await admin("create", "backoffice")).stdout).toContain("take another name")
    const { stdout: listed } = await admin("list")
    expect(listed).toMatch(/^backoffice .* in force the shop's own panel$/m)
    expect(listed).not.toContain(own.slice(10))
    expect((await admin("revoke", "backoffice")).code).toBe(0)
    expect((await call("GET", "accounts", undefined, own)).status).toBe(401)
    expect((await call("GET", "accounts", undefined, `${own.slice(0, -1)}x`)).status).toBe(401)
    expect((await call("GET", "accounts")).status).toBe(200)
  })

  it("refuses what does not exist or is malformed, as a problem", async () => {
    expect((await call("GET", "accounts/nobody-here")).status).toBe(404)
    expect((await call("GET", "reports?all=true")).body).toEqual([])
    expect((await call("GET", "reports/nothing")).status).toBe(404)
    expect((await call("POST", "reports/nothing/close", {})).status).toBe(404)
    expect((await call("POST", "reports/nothing/delete", {})).status).toBe(404)
    expect((await call("POST", "accounts/nobody-here/suspend", {})).status).toBe(404)
    expect((await call("POST", "invites/nothing/revoke", {})).status).toBe(404)
    expect((await call("PUT", "reserved/Not%20A%20Handle", { reserved: true })).status).toBe(400)
    expect((await call("POST", "invites", { uses: 0 })).status).toBe(400)
    expect((await call("GET", "audit?limit=many")).status).toBe(400)
    expect((await call("GET", "accounts/a%00b")).status).toBe(400)
    for (const note of ["a\0b", "n".repeat(2_001), "n".repeat(1_000_000)]) {
      expect((await call("POST", "invites", { note })).status).toBe(400)
    }
  })
})
