import { describe, expect, it } from "vitest"
import type { ActiveAccount } from "../../src/storage/accounts/Accounts.ts"
import { recentAccounts } from "../../src/storage/accounts/RecentAccounts.ts"

const account = (handle: string): ActiveAccount => ({
  handle,
  primaryHex: "00".repeat(32),
  state: "active",
  registeredAt: "2026-01-01T00:00:00Z",
  endedAt: null,
  suspendedAt: null,
  invite: null,
  registration: "{}"
})

const nextTurn = () => new Promise((done) => setImmediate(done))

describe("accounts looked up last", () => {
  it("are forgotten once another connection has committed, which is asked once a turn of the event loop", async () => {
    let commits = 0
    let asked = 0
    const recent = recentAccounts(() => {
      asked++
      return commits
    })
    recent.get("alice")
    recent.set(account("alice"), recent.reading())
    for (let i = 0; i < 10; i++) expect(recent.get("alice")).toBeDefined()
    expect(asked).toBe(1)
    await nextTurn()
    expect(recent.get("alice")).toBeDefined()
    commits++
    await nextTurn()
    expect(recent.get("alice")).toBeUndefined()
    expect(asked).toBe(3)
  })

  it("are forgotten when changed here, also by whoever read them before", () => {
    const recent = recentAccounts()
    const readAt = recent.reading()
    recent.changed("alice")
    recent.set(account("alice"), readAt)
    expect(recent.get("alice")).toBeUndefined()
    recent.set(account("alice"), recent.reading())
    expect(recent.get("alice")).toBeDefined()
    recent.changed("alice")
    expect(recent.get("alice")).toBeUndefined()
  })

  it("are not remembered as they were read before another connection committed", async () => {
    let commits = 0
    const recent = recentAccounts(() => commits)
    recent.get("alice")
    await nextTurn()
    const readAt = recent.reading()
    commits++
    recent.get("bob")
    recent.set(account("alice"), readAt)
    expect(recent.get("alice")).toBeUndefined()
  })

  it("are not more than 4,096", () => {
    const recent = recentAccounts()
    recent.get("n0")
    for (let n = 0; n <= 4_096; n++) recent.set(account(`n${n}`), recent.reading())
    expect(recent.get("n0")).toBeUndefined()
    expect(recent.get("n1")).toBeDefined()
  })
})
