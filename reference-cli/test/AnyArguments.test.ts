/** Every command of the definition with any arguments: never success with nothing done, never a defect, never a write elsewhere. */
import * as os from "node:os"
import { describe, expect, it } from "vitest"
import { fuzz } from "./kit/Fuzz.ts"
import * as InProcess from "./kit/InProcess.ts"

fuzz({ alone: 40, account: 5 })

describe("what no path and no time can be", () => {
  const long = "a".repeat(70_000)

  it.each([
    [["share", "@bob", long], `there is no file|cannot be read: the name is too long`],
    [["share", long, "x"], "there is no file x"],
    [["share", "x", "y\u0000z"], "cannot be read"],
    [["fetch", "x", "--to", long], "cannot be saved in: the name is too long"],
    [["unlock", "--for", "999999999d"], "up to 365d"],
    [["send", "bob", "x", "--timeout", "366d"], "up to 365d"]
  ])("is a mistake in the command line, %#", async (args, sentence) => {
    const folder = os.tmpdir()
    const env = { KEZ_CHAT_DIR: `${folder}/kez-none` }
    const ended = await InProcess.run(args, { env, folder, cwd: folder, withinMillis: 30_000 })
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) })
  })
})
