import { describe, expect, it } from "vitest"
import * as Sample from "../../gallery/PersonSample.ts"
import { en } from "../../texts/Texts.ts"
import { breakOf, eventsOf, hostOf, linksOf, rawOf } from "./ChainLinks.ts"
import { sentenceOf } from "./Sentence.ts"

const sentences = (verification: typeof Sample.whole) =>
  linksOf(eventsOf(verification)).map(({ events, statement }) =>
    sentenceOf(statement, events.length, "today", en.people)
  )

describe("linksOf", () => {
  it("tells every operation in a sentence and folds runs of changed files", () => {
    expect(sentences(Sample.rotated)).toEqual([
      "Gets mail at kez.lat",
      "Shares files from a device",
      "Says: chris.com is mine",
      "Says: chris (GitHub) is mine",
      "Changed the shared files 3 times, last today",
      "Takes back: chris (GitHub) is mine",
      "Added a device",
      "Something this version does not know",
      "Changed the shared files",
      "No longer gets mail at old.example",
      "Handed over to a new key"
    ])
  })

  it("keeps every event, with the hash that the next one names", () => {
    const events = linksOf(eventsOf(Sample.whole)).flatMap((link) => link.events)
    expect(events.map(({ seq }) => seq)).toEqual(Sample.operations.map((_, seq) => seq))
    expect(events.at(-1)?.hash).toBe(Sample.whole.head?.hash)
    expect(events[3]?.hash).toBe(Sample.whole.events[4]?.payload["prev"])
  })

  it("strikes a claim that is taken back later, and no later one", () => {
    const add = ["add", { subject: "github:chris" }] as const
    const links = linksOf(eventsOf(Sample.verificationOf([add, ["revoke", { subject: "github:chris" }], add])))
    expect(links.map(({ statement }) => statement)).toMatchObject([
      { _tag: "claim", revoked: true },
      { _tag: "claim_revoked" },
      { _tag: "claim", revoked: false }
    ])
  })

  it("tells of a claim without a subject as of something unknown", () => {
    expect(sentences(Sample.verificationOf([["add", { proof: 1 }]]))).toEqual([en.people.unknownEvent])
  })

  it("shows no invisible and no turning character of a name", () => {
    for (const sentence of sentences(Sample.verificationOf(Sample.hostile))) expect(sentence).not.toMatch(/\p{Cf}/u)
  })
})

describe("breakOf", () => {
  it.each([
    ["whole", Sample.whole, undefined],
    ["forked", Sample.forked, { _tag: "forked", known: { seq: 4 }, shown: { seq: 4 } }],
    ["rolled back", Sample.rolledBack, { _tag: "rolled_back", known: { seq: 15 }, shown: { seq: 11 } }]
  ])("of a chain that is %s", (_, verification, found) => {
    const broken = breakOf(verification.contact.head, eventsOf(verification))
    if (found === undefined) expect(broken).toBeUndefined()
    else expect(broken).toMatchObject(found)
  })

  it("is none for a chain that grew, is new, or is not shown", () => {
    const events = eventsOf(Sample.whole)
    expect(breakOf({ seq: 3, hash: events[3]?.hash ?? "" }, events)).toBeUndefined()
    expect(breakOf(undefined, events)).toBeUndefined()
    expect(breakOf({ seq: 3, hash: "sha256:00" }, [])).toBeUndefined()
  })
})

it.each([
  ["nats://broker.kez.lat:4222", "broker.kez.lat"],
  ["tls://[::1]:4222", "[::1]"],
  ["tls://kez.lat", "kez.lat"],
  ["nonsense", "nonsense"]
])("the host of %s is %s", (url, host) => {
  expect(hostOf(url)).toBe(host)
})

it("writes a raw event in ASCII that parses to the same", () => {
  for (const envelope of Sample.verificationOf(Sample.hostile).events) {
    const raw = rawOf(envelope)
    expect(raw).toMatch(/^[\n\x20-\x7e]*$/)
    expect(JSON.parse(raw)).toEqual(envelope)
  }
})
