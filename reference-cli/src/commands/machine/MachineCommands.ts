/** The commands for this installation, with their flags and help. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { command, textFlag } from "../Definition.ts"

const onOff = (name: string, description: string) =>
  Flag.Literals(name, ["on", "off"]).pipe(Flag.withDescription(description), Flag.optional)

const settings = command(
  "settings",
  {
    readReceipts: onOff("read-receipts", "Tell others when you have read their messages"),
    inbox: textFlag(
      "inbox",
      "WHO",
      "Who may write: everyone (strangers arrive as requests), contacts, proven (strangers with a proof that holds), or proven: and the systems and domains that count, as in proven:dns,github,example.org"
    ),
    introductions: onOff("introductions", "Let in strangers whom an accepted contact introduces"),
    autoTrim: onOff(
      "auto-trim",
      "Once a day, remove mail at the home that all your devices have; restoring from the words does not bring it back"
    )
  },
  () => import("./Settings.ts").then(({ settings }) => settings)
).pipe(
  Command.withDescription("Show or change settings"),
  Command.withExamples([{ command: "kez-chat settings --read-receipts on" }])
)

const doctor = command("doctor", {}, () => import("./Doctor.ts").then(({ doctor }) => doctor)).pipe(
  Command.withDescription(
    "Check files, keychain, home server, clock, broker, inbox and transfers, and say how to repair them"
  ),
  Command.withShortDescription("Check that everything works")
)

/** In the order of the help. */
export const machineCommands = {
  group: "This machine",
  commands: [settings, doctor]
} as const
