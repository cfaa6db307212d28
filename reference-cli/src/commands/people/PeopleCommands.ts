/** The commands for contacts and message requests, with their flags and help. */
import { Report } from "@kez-chat/sdk/protocol"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { command, flag, offline, textFlag, who } from "../Definition.ts"

const add = command(
  "add",
  { who: Argument.String("name").pipe(Argument.withDescription("A handle: bob, or bob@server")) },
  () => import("./Contacts.ts").then(({ add }) => add)
).pipe(
  Command.withDescription("Look up a handle and store its key as a contact"),
  Command.withShortDescription("Add a contact")
)

const contacts = command("contacts", { offline }, () => import("./Contacts.ts").then(({ contacts }) => contacts)).pipe(
  Command.withDescription("List contacts")
)

const verify = command(
  "verify",
  {
    who,
    confirm: flag("confirm", "Confirm that you compared the safety number and it matched"),
    unconfirm: flag("unconfirm", "Withdraw the confirmation"),
    yes: flag("yes", "With --confirm: do not ask"),
    offline
  },
  () => import("./Verify.ts").then(({ verify }) => verify)
).pipe(
  Command.withDescription("Show a contact's safety number, sigchain, endpoints and proven identities"),
  Command.withExamples([{ command: "kez-chat verify bob --confirm" }])
)

const requestsAccept = command("accept", { who }, () =>
  import("./Contacts.ts").then(
    ({ accept }) =>
      (input: { readonly who: string }) =>
        accept({ ...input, newKey: Option.none() })
  )
).pipe(Command.withDescription("The same as kez-chat accept"))

const requests = command(
  "requests",
  { held: flag("held", "List those whom your inbox policy holds back, and why"), offline },
  () => import("./Requests.ts").then(({ requests }) => requests)
).pipe(Command.withDescription("List strangers who wrote to you"), Command.withSubcommands([requestsAccept]))

const accept = command(
  "accept",
  {
    who,
    newKey: textFlag("new-key", "KEY", "Accept this offered key, shown by verify, in place of the contact's")
  },
  () => import("./Contacts.ts").then(({ accept }) => accept)
).pipe(Command.withDescription("Accept a message request, or a contact's new key"))

const keep = command("keep", { who }, () => import("./Contacts.ts").then(({ keep }) => keep)).pipe(
  Command.withDescription(
    "Keep a contact's key although another is offered or their sigchain changed; sending continues"
  ),
  Command.withShortDescription("Keep a contact's key although it changed")
)

const block = command("block", { who }, () => import("./Contacts.ts").then(({ block }) => block)).pipe(
  Command.withDescription("Hide everything from a contact, and have your home refuse it")
)

const unblock = command("unblock", { who }, () => import("./Contacts.ts").then(({ unblock }) => unblock)).pipe(
  Command.withDescription("Unblock a contact")
)

const report = command(
  "report",
  {
    who,
    reason: Flag.Literals("reason", Report.reasons).pipe(Flag.withDescription("What it is about")),
    note: textFlag("note", "TEXT", "What the operator should know"),
    messages: textFlag("messages", "IDS", "Ids of messages of theirs, separated by commas; the operator can read these")
  },
  () => import("./Report.ts").then(({ report }) => report)
).pipe(
  Command.withDescription("Report a contact to the operator of your home, with messages that prove it"),
  Command.withShortDescription("Report a contact to your home's operator"),
  Command.withExamples([{ command: "kez-chat report bob --reason spam --messages qfVp-FRZY_oBDfdAJ6eMjw" }])
)

const remove = command("remove", { who, withMessages: flag("with-messages", "Remove the conversation too") }, () =>
  import("./Contacts.ts").then(({ remove }) => remove)
).pipe(Command.withDescription("Remove a contact"))

/** In the order of the help. */
export const peopleCommands = {
  group: "People",
  commands: [add, contacts, verify, requests, accept, keep, block, unblock, report, remove]
} as const
