/** What every Vault must do, whatever keeps the seed. */
import { Effect, Option, Redacted } from "effect"
import { expect, it } from "vitest"
import type { Vault } from "../../src/services/Vault.ts"

export interface VaultUnderTest {
  /** A second vault over the same place, as another process would open it. */
  readonly reopen: () => Vault["Service"]
  readonly vault: Vault["Service"]
}

const seedOf = (byte: number) => Redacted.make(new Uint8Array(32).fill(byte))

const load = (vault: Vault["Service"]) =>
  Effect.runPromise(
    Effect.map(
      vault.load,
      Option.map((seed) => Buffer.from(Redacted.value(seed)).toString("hex"))
    )
  )

/** `open` gives a vault over a new, empty place each time. */
export const vaultKit = (open: () => Promise<VaultUnderTest>): void => {
  it("is empty at first", async () => {
    const { vault } = await open()
    expect(await load(vault)).toEqual(Option.none())
  })

  it("gives back the seed it was given, also to the next process", async () => {
    const { vault, reopen } = await open()
    await Effect.runPromise(vault.save(seedOf(7)))
    expect(await load(vault)).toEqual(Option.some("07".repeat(32)))
    expect(await load(reopen())).toEqual(Option.some("07".repeat(32)))
  })

  it("keeps the newer of two seeds", async () => {
    const { vault, reopen } = await open()
    await Effect.runPromise(vault.save(seedOf(1)))
    await Effect.runPromise(vault.save(seedOf(2)))
    expect(await load(reopen())).toEqual(Option.some("02".repeat(32)))
  })

  it("forgets, twice if told twice", async () => {
    const { vault, reopen } = await open()
    await Effect.runPromise(vault.save(seedOf(3)))
    await Effect.runPromise(vault.clear)
    await Effect.runPromise(vault.clear)
    expect(await load(vault)).toEqual(Option.none())
    expect(await load(reopen())).toEqual(Option.none())
  })

  it("does not print the seed", async () => {
    const { vault } = await open()
    await Effect.runPromise(vault.save(seedOf(0xab)))
    const loaded = await Effect.runPromise(vault.load)
    expect(JSON.stringify(loaded) + String(loaded)).not.toContain("ab".repeat(8))
    expect(JSON.stringify(loaded)).not.toContain("171,171")
    expect(vault.description).not.toBe("")
  })
}
