import { it } from "vitest"
import { stream, type Victim } from "../e2e/Killing.ts"

const cases: ReadonlyArray<readonly [string, ReadonlyArray<Victim>]> = [
  ["the broker", ["nats", "nats", "nats"]],
  ["chat-server", ["chat", "chat", "chat"]],
  ["sig-server", ["sig", "sig"]],
  ["the sender", ["sender", "sender", "sender", "sender"]],
  ["the receiver", ["receiver", "receiver", "receiver", "receiver"]]
]

it.each(cases)("loses and repeats nothing of 2,000 messages while %s is killed again and again", async (_, victims) => {
  await stream(2_000, victims)
})
