import * as fc from "fast-check"
import { describe, it } from "@effect/vitest"
import { type End, lose } from "../client/kit/Losing.ts"
import { deathAt } from "../client/kit/Mortal.ts"
import { checkProperty } from "../kits/Property.ts"

/** Runs of about 60 messages; `KEZ_LOSS_RUNS=1700` sends 100,000. */
const numRuns = Number(process.env["KEZ_LOSS_RUNS"] ?? 24)

const end: fc.Arbitrary<End> = fc
  .tuple(deathAt(40, "commit", "sync", "sync", "send", "fetch"), fc.boolean())
  .map(([death, losesPower]) => ({ ...death, losesPower }))
const ends = fc.record({
  deaths: fc.array(end, { maxLength: 4 }),
  kept: fc.integer({ min: 0, max: 3 })
})

describe("KEZ-SEQ-123 devices that lose their power", () => {
  it.live(
    "lose nothing that was acknowledged to others, hold nothing twice, and use no number again",
    () => checkProperty([ends, ends, fc.integer({ min: 1, max: 60 })], lose, { numRuns }),
    60_000 + numRuns * 3_000
  )
})
