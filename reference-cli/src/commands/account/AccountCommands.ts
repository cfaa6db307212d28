/** The commands for an account and its key, with their flags and help. */
import * as Duration from "effect/Duration"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { command, flag, numberFlag, textFlag, timeFlag } from "../Definition.ts"

const wordsFileOut = textFlag("words-file", "FILE", "Write the words to a new file that only you can read")

const wordsFdOut = numberFlag("words-fd", "N", "Write the words to this file descriptor")

const vault = Flag.Literals("vault", ["auto", "keychain", "file"]).pipe(
  Flag.withDescription("Where to store the seed: in the OS keychain if there is one, else in an encrypted file"),
  Flag.withDefault("auto" as const)
)

const register = command(
  "register",
  {
    handle: Argument.String("name").pipe(Argument.withDescription("The handle you want: alice, or alice@server")),
    yes: flag("yes", "Do not show the words and ask for them back; for scripts, with --words-file or --words-fd"),
    existingWords: textFlag(
      "existing-words",
      "FILE",
      "Use the key of the 24 words (or KEZ's 12) in this file instead of a new one"
    ),
    invite: textFlag("invite", "CODE", "The invite that a home asks for"),
    wordsFile: wordsFileOut,
    wordsFd: wordsFdOut,
    vault
  },
  () => import("./Register.ts").then(({ register }) => register)
).pipe(
  Command.withDescription(
    "Create an account: register a handle at a home server, get 24 words, store the key on this machine"
  ),
  Command.withShortDescription("Create an account"),
  Command.withExamples([
    { command: "kez-chat register alice", description: "On a terminal: shows the words and asks for some of them" },
    {
      command: "kez-chat register alice --invite k4x7…",
      description: "At a home that registers only who has an invite"
    },
    { command: "kez-chat register alice --yes --words-file ./alice.words", description: "In a script" }
  ])
)

const restore = command(
  "restore",
  {
    wordsFile: textFlag("words-file", "FILE", "Read the words from a file"),
    wordsFd: numberFlag("words-fd", "N", "Read the words from this file descriptor"),
    formerWords: textFlag(
      "former-words",
      "FILE",
      "Also the words of keys that the account had before a rotation, a line for each: their mail comes back too"
    ),
    vault
  },
  () => import("./Restore.ts").then(({ restore }) => restore)
).pipe(
  Command.withDescription(
    "Restore an account on this machine from its 24 words (or KEZ's 12); the home server finds the handle by the key"
  ),
  Command.withShortDescription("Restore an account from its words")
)

const rotate = command(
  "rotate",
  {
    yes: flag("yes", "Do not ask, and do not show the new words; for scripts, with --words-file or --words-fd"),
    wordsFile: wordsFileOut,
    wordsFd: wordsFdOut
  },
  () => import("./Rotate.ts").then(({ rotate }) => rotate)
).pipe(
  Command.withDescription(
    "Give the account a new key and new words, if somebody else may know the old ones. Contacts confirm the new key; messages stay. An interrupted rotation goes on when it is called again. Whoever has the words can do this first, and nothing undoes it."
  ),
  Command.withShortDescription("Give the account a new key and new words"),
  Command.withExamples([
    { command: "kez-chat rotate", description: "Explains, shows the new words, asks for some of them, then rotates" },
    { command: "kez-chat rotate --yes --words-file ./new.words", description: "In a script" }
  ])
)

const unlock = command("unlock", { time: timeFlag("for", "How long (default 8h)", Duration.hours(8)) }, () =>
  import("./Unlock.ts").then(({ unlock }) => unlock)
).pipe(
  Command.withDescription("Keep the account open in a background process, so that no command asks for the passphrase"),
  Command.withShortDescription("Keep the account open in the background")
)

const lock = command("lock", {}, () => import("./Unlock.ts").then(({ lock }) => lock)).pipe(
  Command.withDescription("End the background process of unlock")
)

const owner = command("owner", { forMillis: Flag.Int("for-millis") }, () =>
  import("./Unlock.ts").then(({ owner }) => owner)
).pipe(Command.unlisted)

const whoami = command("whoami", {}, () => import("./Whoami.ts").then(({ whoami }) => whoami)).pipe(
  Command.withDescription("Show this account: handle, key, home; asks for no passphrase and no network"),
  Command.withShortDescription("Show this account")
)

const profiles = command("profiles", {}, () => import("./Whoami.ts").then(({ profiles }) => profiles)).pipe(
  Command.withDescription("List the accounts on this machine")
)

const words = command(
  "words",
  {
    check: flag("check", "Ask for three of the words instead of showing them"),
    wordsFile: wordsFileOut,
    wordsFd: wordsFdOut
  },
  () => import("./Words.ts").then(({ words }) => words)
).pipe(
  Command.withDescription("Show the 24 words again, or check what you wrote down"),
  Command.withShortDescription("Show or check the 24 words")
)

const deleteAccount = command(
  "delete-account",
  {
    confirm: textFlag("confirm", "HANDLE", "The handle in full, instead of typing it")
  },
  () => import("./DeleteAccount.ts").then(({ deleteAccount }) => deleteAccount)
).pipe(Command.withDescription("Delete the account at the home server and on this machine, permanently"))

/** In the order of the help. */
export const accountCommands = {
  group: "Account",
  commands: [register, restore, rotate, whoami, profiles, words, unlock, lock, deleteAccount, owner]
} as const
