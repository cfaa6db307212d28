import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as FairQueue from "../../../src/broker/limits/FairQueue.ts"

const roomy = { perAccount: 1_000, bytesPerAccount: 1e9, bytes: 1e9 }

describe("FairQueue", () => {
  it("KEZ-NAT-049 lets a newcomer wait for one request of each other account, however much those have waiting", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 300 }), (accounts) => {
        const queue = FairQueue.make<string>(roomy)
        for (const [i, account] of accounts.entries()) queue.offer(`a${account}`, `${account}.${i}`, 1)
        queue.offer("newcomer", "mine", 1)
        const others = new Set(accounts).size
        let before = 0
        while (queue.take() !== "mine") before += 1
        expect(before).toBeLessThanOrEqual(others)
      })
    )
  })

  it("keeps the order of each account, loses nothing and repeats nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 4 }), { nil: -1 }), { maxLength: 300 }), (steps) => {
        const queue = FairQueue.make<number>(roomy)
        const waiting = new Map<number, Array<number>>()
        for (const [i, account] of steps.entries()) {
          if (account >= 0) {
            expect(queue.offer(String(account), i, 10)).toBe("queued")
            waiting.set(account, [...(waiting.get(account) ?? []), i])
          } else {
            const taken = queue.take()
            const of = [...waiting].find(([, items]) => items[0] === taken)
            if (taken !== undefined) of![1].shift()
            else expect([...waiting.values()].flat()).toEqual([])
          }
          expect(queue.size()).toBe([...waiting.values()].flat().length)
        }
        expect(queue.clear().toSorted((a, b) => a - b)).toEqual([...waiting.values()].flat().toSorted((a, b) => a - b))
        expect(queue.size()).toBe(0)
        expect(queue.take()).toBeUndefined()
      })
    )
  })

  it("bounds what one account has waiting by number and by bytes, and frees it as it is served", () => {
    const queue = FairQueue.make<number>({ perAccount: 3, bytesPerAccount: 20_000, bytes: 1e9 })
    expect([1, 2, 3, 4].map((n) => queue.offer("a", n, 10))).toEqual(["queued", "queued", "queued", "account"])
    expect([1, 2].map((n) => queue.offer("b", n, 15_000))).toEqual(["queued", "account"])
    expect(queue.take()).toBe(1)
    expect(queue.offer("a", 5, 10)).toBe("queued")
  })

  it("keeps room for an account with nothing waiting, however many others have filled theirs", () => {
    const queue = FairQueue.make<number>({ perAccount: 1e6, bytesPerAccount: 1e9, bytes: 10_000_000 })
    for (let account = 0; account < 20; account++) while (queue.offer(`greedy ${account}`, 1, 9_000) === "queued");
    expect(queue.offer("modest", 1, 1_000)).toBe("queued")
  })

  it("passes over accounts that may not be served now, and keeps their turn", () => {
    const queue = FairQueue.make<string>(roomy)
    for (const account of ["a", "b", "c"]) queue.offer(account, account, 1)
    expect(queue.take((account) => account !== "a")).toBe("b")
    expect(queue.take()).toBe("a")
    expect(queue.take(() => false)).toBeUndefined()
    expect(queue.take()).toBe("c")
  })
})
