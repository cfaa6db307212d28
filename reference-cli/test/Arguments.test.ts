import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import * as Arguments from "../src/Arguments.ts"
import { cli } from "../src/Cli.ts"

const sorted = (...args: ReadonlyArray<string>): ReadonlyArray<string> =>
  Result.getOrThrow(Arguments.normalise(cli, args))
const misuse = (...args: ReadonlyArray<string>): string => {
  const result = Arguments.normalise(cli, args)
  if (Result.isSuccess(result)) throw new Error(`taken as ${JSON.stringify(result.success)}`)
  return result.failure.message
}

describe("what begins with a dash", () => {
  it.each([
    [
      ["send", "bob", "- hello"],
      ["send", "--", "bob", "- hello"]
    ],
    [
      ["send", "bob", "-5", "degrees"],
      ["send", "--", "bob", "-5", "degrees"]
    ],
    [
      ["send", "bob", "--- cut here ---"],
      ["send", "--", "bob", "--- cut here ---"]
    ],
    [
      ["send", "bob", "-"],
      ["send", "--", "bob", "-"]
    ],
    [
      ["send", "bob", "--", "--help", "me"],
      ["send", "--", "bob", "--help", "me"]
    ],
    [
      ["unshare", "-aEhQ1XN"],
      ["unshare", "--", "-aEhQ1XN"]
    ],
    [
      ["fetch", "-EEQ1XNM", "--to", "x"],
      ["fetch", "--to=x", "--", "-EEQ1XNM"]
    ],
    [
      ["-q", "history", "bob", "--before", "-1"],
      ["history", "--quiet=true", "--before=-1", "--", "bob"]
    ]
  ])("%j is sorted as %j", (args, expected) => {
    expect(sorted(...args)).toEqual(expected)
  })

  it("never takes a text for the value of a flag that has none", () => {
    expect(sorted("send", "bob", "--json", "yes")).toEqual(["send", "--json=true", "--", "bob", "yes"])
    expect(sorted("send", "bob", "--no-wait", "off")).toEqual(["send", "--no-wait", "--", "bob", "off"])
  })

  it("leaves a mistyped flag to the parser, and never makes a text of it", () => {
    expect(sorted("send", "bob", "hi", "--wiat")).toEqual(["send", "--wiat", "--", "bob", "hi"])
    expect(sorted("whoami", "--profile")).toEqual(["whoami", "--profile"])
  })
})

describe("help and version", () => {
  it("are shown where they are asked for", () => {
    expect(sorted("--help")).toEqual(["--help=true"])
    expect(sorted("send", "--help")).toEqual(["send", "--help=true"])
    expect(sorted("send", "bob", "-h")).toEqual(["send", "--help=true"])
    expect(sorted("--version")).toEqual(["--version=true"])
    expect(sorted("--completions", "bash")).toEqual(["--completions=bash"])
  })

  it("are never shown in the place of something else", () => {
    expect(misuse("send", "bob", "--help", "me")).toContain("comes after --")
    expect(misuse("send", "bob", "hi", "--help", "--", "me")).toContain("comes after --")
    expect(misuse("send", "bob", "--version")).toContain("stands alone")
    expect(misuse("unshare", "abcd", "--completions", "bash")).toContain("stands alone")
  })
})

describe("arguments that say nothing", () => {
  const zeroWidth = "\u200b\u2060\ufeff"
  it.each(["", " ", "\t\n", "\u00a0", zeroWidth, "\u3164", "\u200e", "\u0000"])("%j is refused everywhere", (blank) => {
    expect(misuse("share", "@bob", blank)).toContain("argument 2 is empty")
    expect(misuse("send", blank, "hi")).toContain("argument 1 is empty")
    expect(misuse("send", "bob", "--", blank)).toContain("argument 2 is empty")
    expect(misuse("fetch", "abcd", "--to", blank)).toContain("--to is empty")
    expect(misuse("fetch", "abcd", `--name=${blank}`)).toContain("--name is empty")
    expect(misuse("--profile", blank, "whoami")).toContain("--profile is empty")
  })

  it("keeps what only begins or ends with white space", () => {
    expect(sorted("send", "bob", " hi ")).toEqual(["send", "--", "bob", " hi "])
    expect(sorted("send", "bob", "👩‍👧")).toEqual(["send", "--", "bob", "👩‍👧"])
  })
})

describe("commands", () => {
  it("take no argument that they have no use for", () => {
    expect(misuse("whoami", "me")).toContain('`whoami` takes no argument, and "me" is one')
    expect(misuse("requests", "bob")).toContain("takes no argument")
    expect(misuse("- hello")).toContain("is not a command")
    expect(misuse("--", "send", "bob", "hi")).toContain("before --")
  })

  it("are found below others, and left to the parser where they are misspelled", () => {
    expect(sorted("requests", "accept", "bob")).toEqual(["requests", "accept", "--", "bob"])
    expect(sorted("sned", "bob")).toEqual(["sned"])
  })
})
