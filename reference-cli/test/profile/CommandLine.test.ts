import { expect, it } from "vitest"
import * as CommandLine from "../../src/profile/CommandLine.ts"

it("names the profile where it is not the default one", () => {
  expect(CommandLine.line("default", "add NAME")).toBe("kez-chat add NAME")
  expect(CommandLine.line("bob", "accept alice@localhost")).toBe("kez-chat --profile bob accept alice@localhost")
})
