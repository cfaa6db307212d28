/** The commands for messages and the inbox, with their flags and help. */
import * as Duration from "effect/Duration"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { command, flag, natural, offline, textFlag, timeFlag, who } from "../Definition.ts"

const send = command(
  "send",
  {
    who,
    text: Argument.String("text").pipe(
      Argument.withDescription("The message; - or no text reads standard input"),
      Argument.variadic()
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Wait until the home server has stored it (--no-wait: queue it and return)"),
      Flag.withDefault(true)
    ),
    timeout: timeFlag("timeout", "How long to wait (default 30s)", Duration.seconds(30))
  },
  () => import("./Send.ts").then(({ send }) => send)
).pipe(
  Command.withDescription("Send a message"),
  Command.withExamples([
    { command: "kez-chat send bob hello" },
    { command: "date | kez-chat send bob -", description: "Reads standard input" },
    { command: 'kez-chat send bob "- hello"', description: "Text that begins with a dash and is no flag" },
    { command: "kez-chat send bob -- --help me", description: "Text that would be a flag" }
  ])
)

const listen = command(
  "listen",
  {
    serve: Flag.Boolean("serve").pipe(
      Flag.withDescription("Also let others fetch what you share (--no-serve: only listen)"),
      Flag.withDefault(true)
    )
  },
  () => import("./Listen.ts").then(({ listen }) => listen)
).pipe(
  Command.withDescription(
    "Show messages as they arrive, first those since the last time, and serve files, until Ctrl-C"
  ),
  Command.withShortDescription("Show messages as they arrive"),
  Command.withExamples([{ command: "kez-chat listen --json | jq -r 'select(.event==\"message\").message.text'" }])
)

const chat = command("chat", { who }, () => import("./Chat.ts").then(({ chat }) => chat)).pipe(
  Command.withDescription("Chat with a contact in this terminal; /quit leaves"),
  Command.withShortDescription("Chat with a contact")
)

const history = command(
  "history",
  {
    who,
    limit: natural("limit", "N", "How many messages (default 50)", 1, 1_000).pipe(Flag.withDefault(50)),
    before: natural("before", "ORDER", "Only messages before this one", 0, Number.MAX_SAFE_INTEGER).pipe(Flag.optional),
    check: flag("check", "Show what is missing from the conversation instead, as far as its messages tell"),
    markRead: flag("mark-read", "Count what is shown as read, as it does on a terminal"),
    offline
  },
  () => import("./History.ts").then(({ history }) => history)
).pipe(Command.withDescription("Show the messages of a conversation"))

const evidence = command(
  "evidence",
  {
    id: Argument.String("id").pipe(
      Argument.withDescription("A message's id, as `history --json` shows it"),
      Argument.optional
    ),
    check: textFlag("check", "FILE", "Check a file that somebody gave you; needs no account"),
    output: textFlag("output", "FILE", "Write to a new file instead of standard output").pipe(Flag.withAlias("o")),
    offline
  },
  () => import("./Evidence.ts").then(({ evidence }) => evidence)
).pipe(
  Command.withDescription(
    "Write a file with which anybody can check who signed a message, that your home accepted it and that it arrived; or check one"
  ),
  Command.withShortDescription("Show a message to others with proof"),
  Command.withExamples([
    { command: "kez-chat evidence Xx0f... -o rent.json" },
    { command: "kez-chat evidence --check rent.json" }
  ])
)

const inbox = command(
  "inbox",
  {
    trim: flag(
      "trim",
      "Remove mail at the home that is stored here; restoring from the words does not bring it back, nor do other devices get it"
    ),
    sent: flag("sent", "With --trim: remove copies of sent messages, instead of mail")
  },
  () => import("./Inbox.ts").then(({ inbox }) => inbox)
).pipe(
  Command.withDescription("Show how full your inbox at the home server is, or make room in it"),
  Command.withShortDescription("Show how full your inbox at the home is")
)

const exportAll = command(
  "export",
  {
    output: textFlag("output", "FILE", "Write to a new file instead of standard output").pipe(Flag.withAlias("o")),
    offline
  },
  () => import("./ExportAll.ts").then(({ exportAll }) => exportAll)
).pipe(
  Command.withDescription("Write account, contacts and messages as JSON lines, without the key"),
  Command.withShortDescription("Write everything but the key as JSON lines")
)

/** In the order of the help. */
export const messageCommands = {
  group: "Messages",
  commands: [send, listen, chat, history, evidence, inbox, exportAll]
} as const
