/** Every command with its flags and help. What a command does is loaded when it runs. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { command, flag, lazily, offline, who } from "./commands/Definition.ts"
import * as FileCommands from "./commands/files/FileCommands.ts"
import * as Flags from "./Flags.ts"

const wordsFileOut = Flag.String("words-file").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("Write the words to a new file that only you can read"),
  Flag.optional
)
const wordsFdOut = Flag.Int("words-fd").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Write the words to this file descriptor"),
  Flag.optional
)
const vault = Flag.Literals("vault", ["auto", "keychain", "file"]).pipe(
  Flag.withDescription("Where the seed is kept: the OS keychain where there is one, else an encrypted file"),
  Flag.withDefault("auto" as const)
)

/** Longest time that a flag takes: what is longer is a typing error, and its end no date. */
const longestTime = Duration.days(365)

/** `8h`, `30m`, `90s`, `500ms`, `1d`, up to {@link longestTime}. */
const time = (text: string): Option.Option<Duration.Duration> => {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  const millis = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ""]
  if (millis === undefined) return Option.none()
  const found = Duration.millis(Number(count) * millis)
  return Duration.isGreaterThan(found, longestTime) ? Option.none() : Option.some(found)
}

const timeFlag = (name: string, description: string, fallback: Duration.Duration) =>
  Flag.String(name).pipe(
    Flag.withMetavar("TIME"),
    Flag.withDescription(description),
    Flag.filterMap(time, () => "a time such as 30s, 15m, 8h or 2d, up to 365d"),
    Flag.withDefault(fallback)
  )

const natural = (name: string, metavar: string, description: string, minimum: number, maximum: number) =>
  Flag.Int(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.filter(
      (value) => value >= minimum && value <= maximum,
      () => `a whole number from ${minimum} to ${maximum}`
    )
  )

const register = command(
  "register",
  {
    handle: Argument.String("name").pipe(Argument.withDescription("The handle you want: alice, or alice@server")),
    yes: flag("yes", "Do not show the words and ask for them; for scripts, with --words-file or --words-fd"),
    wordsFile: wordsFileOut,
    wordsFd: wordsFdOut,
    vault
  },
  lazily(
    () => import("./commands/account/Register.ts"),
    ({ register: run }, input) => run(input)
  )
).pipe(
  Command.withDescription(
    "Make an account: take a handle at a home server, get 24 words, keep the key on this machine"
  ),
  Command.withShortDescription("Make an account"),
  Command.withExamples([
    { command: "kez-chat register alice", description: "On a terminal: shows the words and asks for some of them" },
    { command: "kez-chat register alice --yes --words-file ./alice.words", description: "In a script" }
  ])
)

const restore = command(
  "restore",
  {
    wordsFile: Flag.String("words-file").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("Read the words from a file"),
      Flag.optional
    ),
    wordsFd: Flag.Int("words-fd").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Read the words from this file descriptor"),
      Flag.optional
    ),
    vault
  },
  lazily(
    () => import("./commands/account/Restore.ts"),
    ({ restore: run }, input) => run(input)
  )
).pipe(
  Command.withDescription(
    "Take up an account on this machine from its 24 words (or KEZ's 12); the handle is found by the key"
  ),
  Command.withShortDescription("Take up an account from its words")
)

const unlock = command(
  "unlock",
  { time: timeFlag("for", "How long (default 8h)", Duration.hours(8)) },
  lazily(
    () => import("./commands/account/Unlock.ts"),
    ({ unlock: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Hold the account open in a background process, so that no command asks for the passphrase"),
  Command.withShortDescription("Hold the account open in the background")
)

const lock = command(
  "lock",
  {},
  lazily(
    () => import("./commands/account/Unlock.ts"),
    ({ lock: run }) => run
  )
).pipe(Command.withDescription("End what unlock began"))

const owner = command(
  "owner",
  { forMillis: Flag.Int("for-millis") },
  lazily(
    () => import("./commands/account/Unlock.ts"),
    ({ owner: run }, input) => run(input)
  )
).pipe(Command.unlisted)

const whoami = command(
  "whoami",
  {},
  lazily(
    () => import("./commands/account/Whoami.ts"),
    ({ whoami: run }) => run
  )
).pipe(
  Command.withDescription("Show this account: handle, key, home; asks for no passphrase and no network"),
  Command.withShortDescription("Show this account")
)

const profiles = command(
  "profiles",
  {},
  lazily(
    () => import("./commands/account/Whoami.ts"),
    ({ profiles: run }) => run
  )
).pipe(Command.withDescription("List the accounts on this machine"))

const words = command(
  "words",
  {
    check: flag("check", "Do not show them: ask for three of them"),
    wordsFile: wordsFileOut,
    wordsFd: wordsFdOut
  },
  lazily(
    () => import("./commands/account/Words.ts"),
    ({ words: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Show the 24 words again, or check what you wrote down"),
  Command.withShortDescription("Show or check the 24 words")
)

const add = command(
  "add",
  { who: Argument.String("name").pipe(Argument.withDescription("A handle: bob, or bob@server")) },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ add: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Look a handle up and keep its key as a contact"),
  Command.withShortDescription("Add a contact")
)

const contacts = command(
  "contacts",
  { offline },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ contacts: run }, input) => run(input)
  )
).pipe(Command.withDescription("List contacts"))

const verify = command(
  "verify",
  {
    who,
    confirm: flag("confirm", "Note that you compared the safety number and it was the same"),
    unconfirm: flag("unconfirm", "Take that back"),
    yes: flag("yes", "With --confirm: do not ask"),
    offline
  },
  lazily(
    () => import("./commands/people/Verify.ts"),
    ({ verify: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Show a contact's safety number, sigchain and endpoints"),
  Command.withExamples([{ command: "kez-chat verify bob --confirm" }])
)

const send = command(
  "send",
  {
    who,
    text: Argument.String("text").pipe(
      Argument.withDescription("The message; - or nothing reads standard input"),
      Argument.variadic()
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withDescription("Wait until the home server has stored it (--no-wait: queue it and return)"),
      Flag.withDefault(true)
    ),
    timeout: timeFlag("timeout", "How long to wait (default 30s)", Duration.seconds(30))
  },
  lazily(
    () => import("./commands/messages/Send.ts"),
    ({ send: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Send a message"),
  Command.withExamples([
    { command: "kez-chat send bob hello" },
    { command: "date | kez-chat send bob -", description: "What comes on standard input" },
    { command: 'kez-chat send bob "- hello"', description: "Text that begins with a dash and is no flag" },
    { command: "kez-chat send bob -- --help me", description: "Text that would be a flag" }
  ])
)

const listen = command(
  "listen",
  {
    serve: Flag.Boolean("serve").pipe(
      Flag.withDescription("Let others fetch what you share meanwhile (--no-serve: only listen)"),
      Flag.withDefault(true)
    )
  },
  lazily(
    () => import("./commands/messages/Listen.ts"),
    ({ listen: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Show messages as they come, first those since the last time, and serve files; Ctrl-C ends"),
  Command.withShortDescription("Show messages as they come"),
  Command.withExamples([{ command: "kez-chat listen --json | jq -r 'select(.event==\"message\").message.text'" }])
)

const chat = command(
  "chat",
  { who },
  lazily(
    () => import("./commands/messages/Chat.ts"),
    ({ chat: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Write with one contact in this terminal, both ways; /quit leaves"),
  Command.withShortDescription("Write with one contact, both ways")
)

const history = command(
  "history",
  {
    who,
    limit: natural("limit", "N", "How many messages (default 50)", 1, 1_000).pipe(Flag.withDefault(50)),
    before: natural("before", "ORDER", "Only messages before this one", 0, Number.MAX_SAFE_INTEGER).pipe(Flag.optional),
    offline
  },
  lazily(
    () => import("./commands/messages/History.ts"),
    ({ history: run }, input) => run(input)
  )
).pipe(Command.withDescription("Show the messages of a conversation"))

const requestsAccept = command(
  "accept",
  { who },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ accept: run }, input: { readonly who: string }) => run({ ...input, newKey: undefined })
  )
).pipe(Command.withDescription("The same as kez-chat accept"))

const requests = command(
  "requests",
  { offline },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ requests: run }, input) => run(input)
  )
).pipe(Command.withDescription("List strangers who wrote to you"), Command.withSubcommands([requestsAccept]))

const accept = command(
  "accept",
  {
    who,
    newKey: Flag.String("new-key").pipe(
      Flag.withMetavar("KEY"),
      Flag.withDescription("Take this key, which verify shows as the offered one, in place of the contact's"),
      Flag.optional
    )
  },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ accept: run }, { who: name, newKey }) => run({ who: name, newKey: Option.getOrUndefined(newKey) })
  )
).pipe(Command.withDescription("Accept a message request, or a contact's new key"))

const keep = command(
  "keep",
  { who },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ keep: run }, input) => run(input)
  )
).pipe(
  Command.withDescription(
    "Keep a contact's key although another is offered or their sigchain changed; sending goes on"
  ),
  Command.withShortDescription("Keep a contact's key although it changed")
)

const block = command(
  "block",
  { who },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ block: run }, input) => run(input)
  )
).pipe(Command.withDescription("Show nothing more of a contact, and have your home keep nothing of theirs"))

const unblock = command(
  "unblock",
  { who },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ unblock: run }, input) => run(input)
  )
).pipe(Command.withDescription("Take a block back"))

const remove = command(
  "remove",
  { who, withMessages: flag("with-messages", "Remove the conversation too") },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    ({ remove: run }, input) => run(input)
  )
).pipe(Command.withDescription("Forget a contact"))

const onOff = (name: string, description: string) =>
  Flag.Literals(name, ["on", "off"]).pipe(Flag.withDescription(description), Flag.optional)

const inbox = command(
  "inbox",
  {
    trim: flag(
      "trim",
      "Have the home remove mail that is here; it does not come back with the words, nor to devices that have not fetched it"
    ),
    sent: flag("sent", "With --trim: remove the copies of what you sent, instead of mail")
  },
  lazily(
    () => import("./commands/messages/Inbox.ts"),
    ({ inbox: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Show how full your inbox at the home server is, and make room in it"),
  Command.withShortDescription("Show how full your inbox at the home is")
)

const settings = command(
  "settings",
  {
    readReceipts: onOff("read-receipts", "Tell others when you have read their messages"),
    inbox: Flag.Literals("inbox", ["everyone", "contacts"]).pipe(
      Flag.withDescription("Who may write: everyone (strangers arrive as requests) or contacts only"),
      Flag.optional
    ),
    autoTrim: onOff(
      "auto-trim",
      "Once a day, have the home remove mail that every device of yours has; it does not come back with the words"
    )
  },
  lazily(
    () => import("./commands/people/Contacts.ts"),
    (
      { settings: run },
      {
        autoTrim,
        inbox,
        readReceipts
      }: {
        readonly readReceipts: Option.Option<"on" | "off">
        readonly inbox: Option.Option<"everyone" | "contacts">
        readonly autoTrim: Option.Option<"on" | "off">
      }
    ) =>
      run({
        readReceipts: Option.getOrUndefined(readReceipts),
        inbox: Option.getOrUndefined(inbox),
        autoTrim: Option.getOrUndefined(autoTrim)
      })
  )
).pipe(
  Command.withDescription("Show or change settings"),
  Command.withExamples([{ command: "kez-chat settings --read-receipts on" }])
)

const exportAll = command(
  "export",
  {
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FILE"),
      Flag.withDescription("Write to a new file instead of standard output"),
      Flag.optional
    ),
    offline
  },
  lazily(
    () => import("./commands/messages/ExportAll.ts"),
    ({ exportAll: run }, input) => run(input)
  )
).pipe(
  Command.withDescription("Write account, contacts and messages as JSON lines; without the key"),
  Command.withShortDescription("Write everything but the key as JSON lines")
)

const deleteAccount = command(
  "delete-account",
  {
    confirm: Flag.String("confirm").pipe(
      Flag.withMetavar("HANDLE"),
      Flag.withDescription("The handle in full, instead of typing it"),
      Flag.optional
    )
  },
  lazily(
    () => import("./commands/account/DeleteAccount.ts"),
    ({ deleteAccount: run }, input) => run(input)
  )
).pipe(Command.withDescription("Delete the account at the home server and here, for good"))

const doctor = command(
  "doctor",
  {},
  lazily(
    () => import("./commands/machine/Doctor.ts"),
    ({ doctor: run }) => run
  )
).pipe(
  Command.withDescription("Check files, keychain, home server, clock, broker, inbox and transfers, and say what to do"),
  Command.withShortDescription("Check that everything works")
)

/** The program without a command shows its help. */
export const cli = Command.make("kez-chat").pipe(
  Command.withDescription("Chat with verified, portable identities, end to end encrypted"),
  Command.withHandler(() => new CliError.ShowHelp({ commandPath: ["kez-chat"], errors: [] })),
  Command.withSubcommands([
    { group: "Account", commands: [register, restore, whoami, profiles, words, unlock, lock, deleteAccount] },
    { group: "People", commands: [add, contacts, verify, requests, accept, keep, block, unblock, remove] },
    { group: "Messages", commands: [send, listen, chat, history, inbox, exportAll] },
    { group: "Files", commands: FileCommands.all },
    { group: "This machine", commands: [settings, doctor, owner] }
  ]),
  Command.withGlobalFlags(Flags.all)
)
