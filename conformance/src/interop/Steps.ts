/** What two implementations do with each other, step by step. */
import type { Client, Message } from "../clients/Client.ts"
import { equals, holds, until } from "../clients/Expect.ts"

export interface Pair {
  /** Writes first. */
  readonly from: Client
  /** Is written to, and accepts. */
  readonly to: Client
  /** The account of `to` once more, in the implementation of `from`, with an empty store. */
  readonly restored: Client
  /** The names of the files that `to` shares with everybody and with `from`. */
  readonly shared: ReadonlyArray<string>
}

export interface Step {
  readonly name: string
  /** What holds if it passes. */
  readonly title: string
  /** The steps without which this one says nothing. */
  readonly needs: ReadonlyArray<string>
  readonly run: (pair: Pair) => Promise<void>
}

const first = "May I write to you?"
const answer = "You may: naïve, \u202eright to left\u202c, 👩‍👩‍👧, \u{10ffff}"
const away = ["While you were away,\nfirst", "  second  ", "x".repeat(20_000)]
const last = "Has this arrived?"

/** How long a message or receipt may be under way, in milliseconds. */
const patience = 30_000

const texts = (messages: ReadonlyArray<Message>, direction: Message["direction"]): ReadonlyArray<string> =>
  messages.filter((one) => one.direction === direction).map(({ text }) => text)

/** Waits until a client holds as many messages of a direction, and compares their texts. */
const receives = async (
  client: Client,
  who: Client,
  direction: Message["direction"],
  expected: ReadonlyArray<string>
): Promise<void> => {
  const shown = await client.shows(
    who.primary,
    (messages) => texts(messages, direction).length >= expected.length,
    `there are fewer than ${expected.length} messages`,
    patience
  )
  equals(texts(shown, direction), expected, "what is shown of the conversation")
}

export const steps: ReadonlyArray<Step> = [
  {
    name: "request",
    title: "a stranger's message arrives as a request",
    needs: [],
    run: async ({ from, to }) => {
      await from.add(to.handle)
      await from.send(to.primary, first)
      await from.sync()
      await receives(to, from, "in", [first])
      equals((await to.contact(from.primary))?.state, "requested", "the state of a stranger")
    }
  },
  {
    name: "answer",
    title: "it is accepted and answered, with every character",
    needs: ["request"],
    run: async ({ from, to }) => {
      await to.does("client.accept", { who: from.primary })
      await to.send(from.primary, answer)
      await to.sync()
      await receives(from, to, "in", [answer])
    }
  },
  {
    name: "number",
    title: "both show the same safety number",
    needs: ["request"],
    run: async ({ from, to }) => {
      const numberOf = async (client: Client, who: Client) =>
        (await client.does<{ readonly number: string }>("client.safetyNumber", { who: who.primary })).number
      equals(await numberOf(to, from), await numberOf(from, to), "the safety number")
    }
  },
  {
    name: "offline",
    title: "three messages wait for one who is away, and arrive in order",
    needs: ["answer"],
    run: async ({ from, to }) => {
      await to.close()
      try {
        for (const text of away) {
          const { id } = await from.send(to.primary, text)
          await from.reaches(to.primary, id, "stored")
        }
      } finally {
        await to.open()
      }
      await receives(to, from, "in", [first, ...away])
    }
  },
  {
    name: "receipt",
    title: "the author learns that a message was delivered",
    needs: ["answer"],
    run: async ({ from, to }) => {
      const { id } = await from.send(to.primary, last)
      await until(
        async () => {
          for (const client of [from, to, from]) await client.sync()
          return (await from.messages(to.primary)).find((one) => one.id === id)?.state
        },
        (state) => state === "delivered" || state === "read",
        "the message does not become delivered",
        patience
      )
    }
  },
  {
    name: "restore",
    title: "the words bring the account's messages back in the other implementation",
    needs: ["offline", "receipt"],
    run: async ({ from, restored }) => {
      await restored.open()
      try {
        await receives(restored, from, "in", [first, ...away, last])
        await receives(restored, from, "out", [answer])
      } finally {
        await restored.close()
      }
    }
  },
  {
    name: "files",
    title: "the list of shared files has what is for everybody and what is for the reader",
    needs: ["answer"],
    run: async ({ from, shared, to }) => {
      const { entries } = await from.does<{ readonly entries: ReadonlyArray<{ readonly name: string }> }>(
        "client.manifest",
        { who: to.primary }
      )
      equals(entries.map(({ name }) => name).toSorted(), shared.toSorted(), "the list of shared files")
    }
  },
  {
    name: "block",
    title: "nothing that a blocked account writes is shown",
    needs: ["receipt"],
    run: async ({ from, to }) => {
      await to.does("client.block", { who: from.primary })
      await to.sync()
      const before = (await to.messages(from.primary)).length
      const { id } = await from.send(to.primary, "You should not see this")
      await from.reaches(to.primary, id, "stored")
      await to.sync()
      const after = await to.messages(from.primary)
      holds(after.length <= before, "mail of a blocked account is shown", after.slice(before))
    }
  }
]
