import { it } from "vitest"
import { atRandom, kill, stream, type Victim } from "../e2e/Killing.ts"

const cases: ReadonlyArray<readonly [string, ReadonlyArray<Victim>]> = [
  ["the broker", ["nats", "nats", "nats"]],
  ["chat-server", ["chat", "chat", "chat"]],
  ["sig-server", ["sig", "sig"]],
  ["the sender", ["sender", "sender", "sender", "sender"]],
  ["the receiver", ["receiver", "receiver", "receiver", "receiver"]]
]

/** Messages of the last test; `KEZ_KILL_MESSAGES=100000` takes about half an hour. */
const total = Number(process.env["KEZ_KILL_MESSAGES"] ?? 2_000)
/** Messages to one home, and kills among them. */
const [share, kills] = [2_000, 6]

it.each(cases)("loses and repeats nothing of 2,000 messages while %s is killed again and again", async (_, victims) => {
  await stream(2_000, victims)
})

it(
  `loses, repeats and reorders nothing of ${total} messages in bursts while both clients are killed at random`,
  async () => {
    for (let sent = 0; sent < total; sent += share) await kill(Math.min(share, total - sent), atRandom(kills), 16)
  },
  60_000 + total * 120
)
