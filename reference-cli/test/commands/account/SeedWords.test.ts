import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Effect, Redacted } from "effect"
import { it } from "@effect/vitest"
import { describe, expect } from "vitest"
import { Ask } from "../../../src/terminal/input/Ask.ts"
import * as Words from "../../../src/commands/account/SeedWords.ts"

const secret = Redacted.make(Mnemonic.fromSeed(Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1)))
const words = Redacted.value(secret).split(" ")

/** A person who reads the screen and answers what it asks; `wrong` says at which questions they slip. */
const person = (wrong: (question: number) => boolean) => {
  const asked: Array<number> = []
  const screens: Array<string> = []
  const ask = Ask.of({
    possible: Effect.succeed(true),
    line: (question) =>
      Effect.sync(() => {
        const place = /Word +(\d+):/.exec(question)?.[1]
        if (place === undefined) return ""
        asked.push(Number(place))
        return wrong(asked.length) ? "other" : ` ${words[Number(place) - 1]!.toUpperCase()} `
      }),
    lines: () => Effect.succeed(""),
    guarded: (use) => use,
    hidden: () => Effect.succeed(Redacted.make("")),
    secretly: (text, use) =>
      Effect.suspend(() => {
        screens.push(text)
        return use
      }),
    show: () => Effect.void
  })
  return { ask, asked, screens }
}

describe("the words", () => {
  it.live("KEZ-MNE-007 are asked back, three different ones at random places", () =>
    Effect.gen(function* () {
      const places = new Set<number>()
      for (let i = 0; i < 20; i++) {
        const { ask, asked } = person(() => false)
        expect(yield* Effect.provideService(Words.check(secret), Ask, ask)).toBe(true)
        expect(new Set(asked).size).toBe(3)
        for (const place of asked) places.add(place)
      }
      expect(places.size).toBeGreaterThan(6)
    })
  )

  it.live("KEZ-MNE-007 are shown again until the answers are right", () =>
    Effect.gen(function* () {
      const { ask, screens } = person((question) => question === 2)
      yield* Effect.provideService(Words.teach(secret), Ask, ask)
      const shown = screens.filter((screen) => words.every((word) => screen.includes(word)))
      expect(shown).toHaveLength(2)
    })
  )
})
