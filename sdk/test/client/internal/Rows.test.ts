import { assert, describe, it } from "vitest"
import * as Result from "effect/Result"
import * as KeyAdmission from "../../../src/protocol/identity/KeyAdmission.ts"
import * as Rows from "../../../src/client/internal/rows/index.ts"

const hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
const primary = Result.getOrThrow(KeyAdmission.admitHex(hex))
const message = { from: primary, to: primary, device: "d", seq: 7, id: "i" }
const blob = "b".repeat(64)
const bytes = (json: string) => new TextEncoder().encode(json)
const json = (stored: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(stored))

/** One key of each kind, as stores on disk have them. */
const samples: { readonly [K in keyof typeof Rows.key]: readonly [made: string, stored: string] } = {
  version: [Rows.key.version, "version"],
  account: [Rows.key.account, "account"],
  chain: [Rows.key.chain(3), "chain/000000000000003"],
  settings: [Rows.key.settings, "settings"],
  position: [Rows.key.position, "position"],
  device: [Rows.key.device("d"), "device/d"],
  contact: [Rows.key.contact(hex), `contact/${hex}`],
  claim: [Rows.key.claim(hex, "dns:example.org"), `claim/${hex}/dns:example.org`],
  proving: [Rows.key.proving("dns:example.org"), "proving/dns:example.org"],
  heldSender: [Rows.key.heldSender(hex), `heldBy/${hex}`],
  heldFrame: [Rows.key.heldFrame(hex, "i"), `held/${hex}/i`],
  introduction: [Rows.key.introduction(hex, hex), `introduction/${hex}/${hex}`],
  introduced: [Rows.key.introduced(hex, hex), `introduced/${hex}/${hex}`],
  block: [Rows.key.block(hex), `block/${hex}`],
  conversation: [Rows.key.conversation(hex), `talk/${hex}`],
  draft: [Rows.key.draft(hex), `draft/${hex}`],
  order: [Rows.key.order, "order"],
  message: [Rows.key.message(hex, 12), `message/${hex}/000000000000012`],
  seen: [Rows.key.seen(message), `seen/${hex}/i`],
  seenBy: [Rows.key.seenBy(hex, "i"), `seen/${hex}/i`],
  receipt: [Rows.key.receipt(hex, "i"), `receipt/${hex}/i`],
  early: [Rows.key.early(hex), `early/${hex}`],
  slot: [Rows.key.slot(message), `slot/${hex}/${hex}/d/7`],
  track: [Rows.key.track(primary, primary, "d"), `track/${hex}/${hex}/d`],
  out: [Rows.key.out(12), "out/000000000000012"],
  frame: [Rows.key.frame("k"), "frame/k"],
  dropped: [Rows.key.dropped(2_005), "dropped/000000000000005"],
  kept: [Rows.key.kept("e", 5), "kept/e/000000000000005"],
  offerOf: [Rows.key.offerOf(blob, hex), `offerOf/${blob}/${hex}`],
  asked: [Rows.key.asked(hex), `asked/${hex}`],
  download: [Rows.key.download(blob), `download/${blob}`],
  share: [Rows.key.share("s"), "share/s"],
  shareOf: [Rows.key.shareOf(blob), `shareOf/${blob}`],
  entry: [Rows.key.entry("s"), "entry/s"],
  manifest: [Rows.key.manifest, "manifest"],
  manifestBody: [Rows.key.manifestBody, "manifestBody"],
  browsed: [Rows.key.browsed(hex), `browsed/${hex}`],
  rotation: [Rows.key.rotation, "rotation"],
  former: [Rows.key.former(hex), `former/${hex}`],
  formerPosition: [Rows.key.formerPosition(hex), `formerPosition/${hex}`],
  retired: [Rows.key.retired(hex), `retired/${hex}`],
  chainOf: [Rows.key.chainOf(hex), `chainOf/${hex}/`],
  eventOf: [Rows.key.eventOf(hex, 3), `chainOf/${hex}/000000000000003`],
  browsedBody: [Rows.key.browsedBody(hex), `browsedBody/${hex}`]
}

describe("Rows", () => {
  it("keeps the keys of existing stores", () => {
    for (const [made, stored] of Object.values(samples)) assert.strictEqual(made, stored)
  })

  it("clears every key but those of the account and the layout version", () => {
    const left = Object.values(samples)
      .map(([made]) => made)
      .filter((key) => !Rows.everything.some((prefix) => key.startsWith(prefix)))
    assert.sameMembers(left, ["account", "version"])
  })

  it("keeps the stored names of a conversation's counters", () => {
    const stored = { seq: 5, prev: "h", incoming: 9, toldDelivered: 8, toldRead: 4, read: 7, tellRead: 6 }
    const counters = {
      seq: 5,
      prev: "h",
      lastIncoming: 9,
      deliveredReceiptedUpTo: 8,
      readReceiptedUpTo: 4,
      readUpTo: 7,
      readReceiptDueUpTo: 6
    }
    const decoded = Rows.ConversationCounters.decode("talk/x", bytes(JSON.stringify(stored)))
    assert.deepStrictEqual(Result.getOrThrow(decoded), counters)
    assert.deepStrictEqual(json(Rows.ConversationCounters.encode(counters)), stored)
    const { prev: _, ...first } = counters
    const { prev: __, ...storedFirst } = stored
    assert.deepStrictEqual(json(Rows.ConversationCounters.encode(first)), storedFirst)
  })

  it("calls a value that does not decode damaged, and names its key", () => {
    for (const value of ["", "{", "{}", '{"next":-1}', "null"]) {
      const failure = Result.getOrThrow(Result.flip(Rows.Order.decode("order", bytes(value))))
      assert.strictEqual(failure.reason, "damaged")
      assert.include(failure.detail, "order")
    }
    assert.isTrue(Result.isFailure(Rows.Order.decode("order", new Uint8Array([0xff]))))
  })
})
