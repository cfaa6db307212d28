import { describe, expect, it } from "vitest"
import { wantsColour } from "../../../src/terminal/output/Style.ts"

describe("wantsColour", () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    [{ TERM: "dumb" }, true, false]
  ])("with %j on a terminal (%s): %s", (env, isTerminal, expected) => {
    expect(wantsColour(env as Record<string, string>, isTerminal)).toBe(expected)
  })
})
