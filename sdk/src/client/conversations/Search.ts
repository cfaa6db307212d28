/** The use case `search`: reads stored messages from the newest to the oldest, a page of one conversation at a time. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ContactBook, self } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import { MessageLog } from "../messaging/index.ts"
import type { Message, SearchOptions } from "../model/index.ts"
import { find, keysOf } from "./History.ts"

/** Most messages in memory, as long as conversations are few enough; the least and the most in a page of one. */
const memoryMessages = 2_048
const page = { least: 16, most: 256 }

/** A text without case, accents and forms of the same letter. Upper case, because it also joins ß to SS and ς to Σ. */
const fold = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase()

/** The folded words of a query. */
const wordsOf = (query: string): ReadonlyArray<string> =>
  fold(query)
    .split(/\s+/u)
    .filter((word) => word !== "")

/** One key's messages: `hits` that were read and are not returned yet, and where to read on. */
interface Cursor {
  readonly hex: string
  hits: ReadonlyArray<Message>
  before: number
  isRead: boolean
}

/** An order that no message of the cursor exceeds; 0 once there are none. */
const bound = ({ before, hits, isRead }: Cursor): number => hits[0]?.order ?? (isRead ? 0 : before - 1)

const shownKeys = Effect.gen(function* () {
  const book = yield* ContactBook
  const mine = yield* (yield* CurrentAccount).get
  const shown = (yield* book.all).filter(({ state }) => state !== "blocked")
  // A key that a contact replaced may have written again, as a contact of its own.
  return [...new Set([self(mine), ...shown].flatMap(keysOf))]
})

/** See `KezChat.search`. */
export const search = Effect.fnUntraced(function* (
  query: string,
  { before = Number.MAX_SAFE_INTEGER, limit: most, who }: SearchOptions = {}
) {
  const ledger = yield* Ledger
  const keys = who === undefined ? yield* shownKeys : keysOf(yield* find(who))
  const words = wordsOf(query)
  if (words.length === 0) return Stream.empty
  const limit = Math.max(page.least, Math.min(page.most, Math.floor(memoryMessages / keys.length)))
  const cursors = keys.map((hex): Cursor => ({ hex, hits: [], before, isRead: false }))

  const matches = ({ text }: Message): boolean => {
    const folded = fold(text)
    return words.every((word) => folded.includes(word))
  }

  const next = Effect.gen(function* () {
    while (true) {
      const cursor = cursors.reduce((first, other) => (bound(other) > bound(first) ? other : first))
      const [hit, ...rest] = cursor.hits
      cursor.hits = rest
      if (hit !== undefined || cursor.isRead) return hit
      const messages = yield* MessageLog.newest(ledger, [cursor.hex], { before: cursor.before, limit })
      cursor.hits = messages.filter(matches)
      cursor.before = messages.at(-1)?.order ?? 0
      cursor.isRead = messages.length < limit
    }
  })

  const found = Stream.unfold(undefined, () =>
    Effect.map(next, (hit) => (hit === undefined ? undefined : ([hit, undefined] as const)))
  )
  return most === undefined ? found : Stream.take(found, most)
})
