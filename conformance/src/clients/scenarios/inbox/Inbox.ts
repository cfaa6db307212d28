/** The vectors of the inbox, which take a whole client with its store: their frames in the stream of an account. */
import { type VectorCase, vectorFiles } from "../../../suite/Data.ts"
import { fromBase64Url, fromHex } from "../../crypto/Bytes.ts"
import { Keys } from "../../crypto/Keys.ts"
import { equals, until } from "../../Expect.ts"
import type { Client, Message } from "../../Client.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"

interface Held {
  readonly peer: string
  readonly id: string
  readonly text: string
}

interface Input {
  readonly seed: string
  readonly now: string
  readonly frames: ReadonlyArray<{ readonly subject: "inbox" | "self"; readonly frame: string }>
}

/** A message with the members that the vectors state; `text` is the client's own where the type is not known. */
const shownAs = ({ direction, equivocation, fork, gap, id, peer, state, suspicious, text }: Message) =>
  JSON.parse(JSON.stringify({ peer, direction, id, text, state, gap, equivocation, fork, suspicious })) as Held

const byPeer = (messages: ReadonlyArray<Held>) => Map.groupBy(messages, ({ peer }) => peer)

/** The conversations of all peers that the case names, and of contacts and requests that it does not. */
const conversations = async (alice: Client, peers: Iterable<string>) => {
  const known = new Set([...peers, ...(await alice.contacts()).map(({ primary }) => primary)])
  const shown = new Map<string, ReadonlyArray<Held>>()
  for (const peer of known) {
    const messages = (await alice.messages(peer)).map(shownAs)
    if (messages.length > 0) shown.set(peer, messages)
  }
  return shown
}

const take = async (stage: Stage, { input, result }: VectorCase): Promise<void> => {
  const { frames, now, seed } = input as unknown as Input
  const alice = await stage.client("alice", new Keys(fromHex(seed))).open("new")
  const { broker } = stage.world
  for (const { frame, subject } of frames)
    broker.storeQuietly(alice.keys.hex, fromBase64Url(frame), subject, Date.parse(now))
  // A last frame that cannot be read, live: the client fetches, and its next request shows that it has taken all.
  const last = broker.store(alice.keys.hex, new Uint8Array(60), "inbox", Date.parse(now))
  await until(
    async () => {
      await alice.sync()
      return Math.max(0, ...broker.of("fetch").map(({ ask }) => Number(ask["after"])))
    },
    () => broker.of("fetch").length > 1,
    "the client did not fetch"
  )
  await alice.sync()
  const { messages } = result as { messages: ReadonlyArray<Held> }
  const expected = byPeer(messages)
  const shown = await conversations(alice, expected.keys())
  equals(Object.fromEntries(shown), Object.fromEntries(expected), `what is shown of ${last.seq} frames`)
}

const [, file] = vectorFiles().find(([name]) => name === "messages/inbox.valid.json") ?? []

export const inbox = group(
  "inbox",
  (file?.cases ?? []).map((one) => ({
    id: one.id,
    requirements: one.requirements,
    why: one.why,
    run: (stage) => take(stage, one)
  }))
)
