/** The commands for files with their flags and help. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { command, flag, textFlag, who } from "../Definition.ts"

const share = command(
  "share",
  {
    what: Argument.String("what").pipe(
      Argument.withDescription("Contacts (@chris), then files and folders; a folder means all files below it"),
      Argument.variadic({ min: 1 })
    ),
    with: Flag.String("with").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Another contact who may fetch them; can be repeated"),
      Flag.atLeast(0)
    ),
    public: flag("public", "Anyone who browses you may see and fetch them"),
    unlisted: flag("unlisted", "Do not list them for browsing: only the message leads to them"),
    wait: flag("wait", "Keep serving until every named contact has fetched them")
  },
  () => import("./Share.ts").then(({ share }) => share)
).pipe(
  Command.withDescription(
    "Offer files to contacts: encrypts them, stores the encrypted copies here, and sends a message; contacts fetch them from this device"
  ),
  Command.withShortDescription("Offer files to contacts"),
  Command.withExamples([
    { command: "kez-chat share @chris report.pdf" },
    {
      command: "kez-chat share @chris @dana photos/ --wait",
      description: "A folder, to two people, until both have it"
    },
    { command: "kez-chat share --public key.asc", description: "For everybody who browses you" }
  ])
)

const fetch = command(
  "fetch",
  {
    fileRef: Argument.String("what").pipe(
      Argument.withDescription(
        "An offer's id or its first characters, @user/entry (id, path or folder), or a ticket; without it, lists open offers"
      ),
      Argument.optional
    ),
    to: textFlag("to", "FOLDER", "Where to save (default: here)"),
    name: textFlag("name", "NAME", "Save under another name than the owner's"),
    overwrite: flag("overwrite", "Replace a file of the same name that differs"),
    keepBoth: flag("keep-both", "Keep a file of the same name that differs, and save as `name (2)`"),
    discard: flag("discard", "Do not fetch: remove the part that has arrived")
  },
  () => import("./Fetch.ts").then(({ fetch }) => fetch)
).pipe(
  Command.withDescription(
    "Fetch a file from its owner's device and save it. Waits while the owner is away; when interrupted it keeps what has arrived, and the same command resumes"
  ),
  Command.withShortDescription("Fetch an offered or listed file"),
  Command.withExamples([
    { command: "kez-chat fetch", description: "Offers not fetched yet" },
    { command: "kez-chat fetch 8f3kQ2aB --to ~/Downloads" },
    { command: "kez-chat fetch @tudisco/photos", description: "A folder of what tudisco shares" }
  ])
)

const browse = command("browse", { who, all: flag("all", "Show older versions of a file too") }, () =>
  import("./Browse.ts").then(({ browse }) => browse)
).pipe(
  Command.withDescription("List what a contact shares with you, even while they are away"),
  Command.withExamples([{ command: "kez-chat browse @tudisco" }])
)

const shared = command("shared", {}, () => import("./Shared.ts").then(({ shared }) => shared)).pipe(
  Command.withDescription("List what you share, with whom, and who has fetched it")
)

const unshare = command(
  "unshare",
  {
    what: Argument.String("what").pipe(
      Argument.withDescription("An id from `shared`, its first characters, a path or a folder"),
      Argument.variadic({ min: 1 })
    )
  },
  () => import("./Shared.ts").then(({ unshare }) => unshare)
).pipe(
  Command.withDescription("Stop sharing files: no one can fetch them any more. Anyone who has fetched one keeps it"),
  Command.withShortDescription("Stop sharing files"),
  Command.withExamples([{ command: "kez-chat unshare 8f3kQ2aB report.pdf" }])
)

const serve = command("serve", {}, () => import("./Serve.ts").then(({ serve }) => serve)).pipe(
  Command.withDescription("Let others fetch what you share, and show who does, until Ctrl-C. `listen` serves too"),
  Command.withShortDescription("Let others fetch what you share")
)

/** In the order of the help. */
export const fileCommands = { group: "Files", commands: [share, fetch, browse, shared, unshare, serve] } as const
