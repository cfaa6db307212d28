/** A store with conversations that nobody had to write: what tests of reading begin with. */
import { Effect } from "effect"
import * as Trust from "../../../src/client/contacts/Trust.ts"
import * as Rows from "../../../src/client/internal/rows/index.ts"
import * as PrimaryKey from "../../../src/protocol/identity/PrimaryKey.ts"
import { join, keyOf, newDevice, type World } from "./People.ts"

export interface Stored {
  /** Hex of the peer's key; `own` for a note to self. */
  readonly peer: string
  readonly text: string
}

/** Hex of a key for a contact; a different one for each number. */
export const hexOf = (number: number): string => number.toString(16).padStart(64, "0")
export const primaryOf = (hex: string): string => PrimaryKey.ofHex(hex)

/** The account `alice` on a device whose store holds these messages; the first has order 1. Contacts come with them. */
export const stored = Effect.fnUntraced(function* (
  world: World,
  messages: ReadonlyArray<Stored>,
  change: (row: Rows.ContactRow) => Rows.ContactRow = (row) => row
) {
  const { account, device, program } = yield* join(world, "alice")
  yield* program.close
  const own = keyOf(account.primary).hex
  const peers = new Set(messages.map(({ peer }) => peer).filter((peer) => peer !== "own"))
  const rows = [...peers].map((hex) => change(Trust.newContact(hex, "accepted", 1)))
  const replaced = new Set(rows.flatMap(({ former }) => former))
  yield* device.store.commit([
    ...rows
      .filter(({ primary }) => !replaced.has(PrimaryKey.hexOf(primary)))
      .map((row) => ({
        op: "put" as const,
        key: Rows.key.contact(PrimaryKey.hexOf(row.primary)),
        value: Rows.Contact.encode(row)
      })),
    ...messages.map(({ peer, text }, index) => ({
      op: "put" as const,
      key: Rows.key.message(peer === "own" ? own : peer, index + 1),
      value: Rows.MessageRow.encode({
        id: `id${index}`,
        direction: index % 2 === 0 ? "in" : "out",
        body: { type: "text", text },
        device: "d",
        seq: index,
        hash: `h${index}`,
        createdAt: index,
        arrivedAt: 1_000 + index
      })
    })),
    { op: "put", key: Rows.key.order, value: Rows.Order.encode({ next: messages.length + 1 }) }
  ])
  return { account, device }
})

/** The same device, counting the entries that are read from its store by scans. */
export const counted = (device: ReturnType<typeof newDevice>) => {
  const read = { entries: 0, largest: 0 }
  const scan: typeof device.store.scan = (range) =>
    Effect.tap(device.store.scan(range), (entries) =>
      Effect.sync(() => {
        read.entries += entries.length
        read.largest = Math.max(read.largest, entries.length)
      })
    )
  return { device: { ...device, store: { ...device.store, scan } }, read }
}
