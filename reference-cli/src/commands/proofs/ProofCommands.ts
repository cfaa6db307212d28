/** The commands for identities elsewhere and introductions, with their flags and help. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { command, flag, offline, textFlag } from "../Definition.ts"

const subject = Argument.String("subject").pipe(
  Argument.withDescription("An identity elsewhere: dns:example.org, github:NAME, web:https://..., nostr:npub1...")
)

const prove = command(
  "prove",
  { subject, wait: flag("wait", "Wait until it can be seen, looking again and again") },
  () => import("./Prove.ts").then(({ prove }) => prove)
).pipe(
  Command.withDescription(
    "Prove that an identity elsewhere is yours: shows what to publish and where, checks it as anyone would, and adds it to your sigchain. A later call goes on where one stopped"
  ),
  Command.withShortDescription("Prove that an identity elsewhere is yours"),
  Command.withExamples([
    { command: "kez-chat prove github:alice --wait" },
    { command: "kez-chat prove dns:example.org" }
  ])
)

const revoke = command("revoke", { subject }, () => import("./Proofs.ts").then(({ revoke }) => revoke)).pipe(
  Command.withDescription("Take back an identity that you have proven; messages are not touched by it"),
  Command.withShortDescription("Take back a proven identity")
)

const proofs = command(
  "proofs",
  {
    who: Argument.String("who").pipe(
      Argument.withDescription("A contact, any handle, or a key; without it, you"),
      Argument.optional
    ),
    offline
  },
  () => import("./Proofs.ts").then(({ proofs }) => proofs)
).pipe(
  Command.withDescription("Check and list the identities elsewhere that somebody has proven: yours, or those of WHO"),
  Command.withShortDescription("List proven identities")
)

const introduce = command(
  "introduce",
  {
    who: Argument.String("who").pipe(
      Argument.withDescription("The contact to introduce; without it, lists the open introductions"),
      Argument.optional
    ),
    to: textFlag("to", "NAME", "The contact who should let them in"),
    withdraw: flag("withdraw", "Take the introduction back")
  },
  () => import("./Introduce.ts").then(({ introduce }) => introduce)
).pipe(
  Command.withDescription(
    "Introduce a contact to another, whose inbox policy may then let them in: for 7 days, at most five to one contact"
  ),
  Command.withShortDescription("Introduce a contact to another"),
  Command.withExamples([{ command: "kez-chat introduce carol --to alice" }])
)

/** In the order of the help. */
export const proofCommands = {
  group: "Who somebody is",
  commands: [prove, proofs, revoke, introduce]
} as const
