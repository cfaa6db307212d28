/** Every reader of what providers send, with hostile input: it answers, within its bounds, and never throws. */
import * as dnsPacket from "dns-packet"
import { Effect, Exit, Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Fetcher, HostPace, Toolbox, type Tools } from "@kez-chat/sdk/proofs"
import * as DnsMessage from "../../../src/adapters/proofs-core/fetching/DnsMessage.ts"
import * as RateLimit from "../../../src/adapters/proofs-core/fetching/RateLimit.ts"
import * as DidDocument from "../../../src/adapters/proofs-core/DidDocument.ts"
import * as HtmlText from "../../../src/adapters/proofs-core/HtmlText.ts"
import * as NostrEvent from "../../../src/adapters/proofs-core/NostrEvent.ts"
import * as ProofText from "../../../src/adapters/proofs-core/ProofText.ts"
import { codeOf, fuzzBytes, nearTexts } from "../../kits/DecoderKit.ts"
import { nostrAuthor } from "../../kits/proofs/NostrAuthor.ts"
import { identifier } from "../../kits/proofs/Proof.ts"

const name = "_kez.example.org"
const answerOf = (answers: ReadonlyArray<dnsPacket.Answer>, flags = 0): Buffer =>
  dnsPacket.encode({ type: "response", flags, questions: [{ type: "TXT", name }], answers: [...answers] })
const txt = (data: ReadonlyArray<string>, of = name): dnsPacket.Answer => ({ type: "TXT", name: of, data: [...data] })

describe("DNS messages", () => {
  it("ask as RFC 8484 wants, and are read as another library writes them", () => {
    const query = dnsPacket.decode(Buffer.from(DnsMessage.encodeQuery(name)))
    assert.deepInclude(query.questions?.[0], { name, type: "TXT", class: "IN" })
    assert.deepInclude(query, { id: 0, flag_rd: true, flag_ad: true })
    const alias: dnsPacket.Answer = { type: "CNAME", name, data: "proofs.example.net" }
    const bytes = answerOf(
      [alias, txt(["a", "", "bc"], "proofs.example.net"), txt(["no"], "other.example.net")],
      1 << 5
    )
    assert.deepStrictEqual(Result.getOrThrow(DnsMessage.decodeTxt(bytes, name)), {
      responseCode: 0,
      isAuthenticated: true,
      records: [["a", "", "bc"]]
    })
    assert.strictEqual(Result.getOrThrow(DnsMessage.decodeTxt(answerOf([], 3), name)).responseCode, 3)
  })

  it("are refused where they answer something else, are cut off or run in circles", () => {
    const good = answerOf([txt(["kez"])])
    const refused = (bytes: Uint8Array, of = name) => codeOf(DnsMessage.decodeTxt(bytes, of))
    for (let length = 0; length < good.length; length++) {
      assert.strictEqual(refused(good.subarray(0, length)), "encoding_malformed", `${length} bytes`)
    }
    assert.strictEqual(refused(good, "_kez.example.com"), "encoding_malformed")
    assert.strictEqual(refused(DnsMessage.encodeQuery(name)), "encoding_malformed")
    assert.strictEqual(refused(answerOf([txt(["kez"])], 1 << 9)), "encoding_malformed")
    const circle = Buffer.from(good)
    circle.writeUInt16BE(0xc00c, 12)
    assert.strictEqual(refused(circle), "encoding_malformed")
  })

  it("are answered, whatever they are", () => {
    const valid = fc
      .array(fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 3 }), { maxLength: 4 })
      .map((list) => new Uint8Array(answerOf(list.map((data) => txt(data)))))
    fuzzBytes((bytes) => DnsMessage.decodeTxt(bytes, name), valid)
  })
})

describe("texts of providers", () => {
  const html = fc.constant(
    `<p class="a>b">x &amp; <a href='https://a.test/#kez:z1:AAAA'>a</a><!-- c --><br/>&#107;ez:z1:BBBB</p>`
  )

  it("are searched for proofs, whatever they are", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), nearTexts(html)), (text) => {
        const { links, text: plain } = HtmlText.read(text)
        assert.isAtMost(plain.length, text.length)
        for (const found of [plain, ...links].flatMap(ProofText.inText))
          assert.include(`${plain}${links.join("")}`, found)
        assert.isAtMost(ProofText.inFile(text).length, text.length + 1)
        assert.isAtMost(ProofText.inTxt([text]).join("").length, text.length)
      }),
      { numRuns: 300 }
    )
  })

  it("are read once from end to end, however they are nested", () => {
    const many = 120_000
    for (const piece of ["<", "<a", '<a "', "<!--", "<a href='", "&#", "&", "kez:z1:", "`", "<b>", "\n```kez"]) {
      const text = piece.repeat(Math.floor(many / piece.length))
      const from = performance.now()
      HtmlText.read(text)
      ProofText.inFile(text)
      ProofText.inTxt([text])
      // Quadratic time would be a minute and more.
      assert.isBelow(performance.now() - from, 10_000, piece)
    }
    assert.deepStrictEqual(HtmlText.read("<p>".repeat(100_000)), { text: "", links: [] })
  })

  it("name no event that is not its author's", () => {
    const author = nostrAuthor(9)
    const event = author.event(1, "kez:z1:AAAA")
    assert.deepStrictEqual(NostrEvent.verified(event), event)
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(event)), fc.anything(), (member, value) => {
        const changed = { ...event, [member]: value }
        const verified = NostrEvent.verified(changed)
        if (verified !== undefined) assert.deepStrictEqual(verified, event)
      }),
      { numRuns: 300 }
    )
    fc.assert(fc.property(fc.anything(), (value) => assert.isUndefined(NostrEvent.verified(value))))
    fc.assert(fc.property(fc.string(), (text) => assert.isUndefined(NostrEvent.publicKeyOf(text))))
    assert.strictEqual(NostrEvent.publicKeyOf(author.npub), author.pubkey)
  })

  it("name no time but one ahead, and no document but one by https", () => {
    const header = fc.oneof(fc.stringMatching(/^[ -~]*$/), fc.integer().map(String), fc.double().map(String))
    fc.assert(
      fc.property(header, header, header, fc.nat(), (remaining, reset, after, now) => {
        const headers = new Headers({
          "x-ratelimit-remaining": remaining,
          "x-ratelimit-reset": reset,
          "retry-after": after
        })
        const { retryAt = now + 1 } = RateLimit.ofHeaders(headers, now)
        assert.isTrue(retryAt > now && retryAt <= now + 86_400_000)
      })
    )
    fc.assert(
      fc.property(nearTexts(fc.constant("did:web:example.org%3A8443:a:b")), (did) => {
        const url = DidDocument.webUrlOf(did)
        if (url !== undefined) assert.strictEqual(new URL(url).href, url)
      })
    )
  })
})

/** JSON with the members that channels look for, of any type. */
const memberNames = [
  "links",
  "rel",
  "href",
  "type",
  "subject",
  "id",
  "attachment",
  "value",
  "summary",
  "outbox",
  "first"
]
const moreNames = [
  "orderedItems",
  "object",
  "content",
  "attributedTo",
  "feed",
  "post",
  "author",
  "did",
  "record",
  "facets"
]
const lastNames = [
  "features",
  "uri",
  "embed",
  "images",
  "alt",
  "alsoKnownAs",
  "files",
  "owner",
  "login",
  "raw_url",
  "public"
]
const names = fc.constantFrom(
  ...memberNames,
  ...moreNames,
  ...lastNames,
  "kez.md",
  "text",
  "preferredUsername",
  "__proto__"
)
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      "self",
      "application/activity+json",
      "acct:alice@social.example",
      "kez:z1:AAAA"
    ),
    fc.constantFrom("https://social.example/users/alice", "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "at://alice.example"),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(names, tie("value"), { maxKeys: 8 })
  )
}))

describe("channels", () => {
  it("answer or say why not, whatever the providers send", async () => {
    const subjects = [
      "dns:example.org",
      "github:octocat",
      "web:https://example.org",
      `nostr:${nostrAuthor(9).npub}`,
      "bluesky:alice.example",
      "ap:alice@social.example",
      "did:web:example.org"
    ]
    const body = fc.oneof(
      values.value.map((value) => JSON.stringify(value) ?? ""),
      fc.string({ unit: "binary" })
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...subjects),
        async (bodies, subject) => {
          let asked = 0
          const next = () => bodies[asked++ % bodies.length] ?? ""
          const platform = {
            fetch: () => Promise.resolve(new Response(next())),
            webSocket: () => Promise.reject(new Error("not here")),
            isChosen: () => false,
            isBrowser: false,
            txt: () =>
              Effect.sync(() => ({
                fetchedAt: 0,
                exists: true,
                records: [[next()], ["did=did:plc:ewvi7nxzyoun6zhxrhs64oiz"]]
              }))
          }
          const services = { relays: [], xrpc: "https://xrpc.example", plc: "https://plc.example" }
          const tools: Tools = {
            ...Toolbox.make(platform, HostPace.make(0), services),
            events: () =>
              Effect.sync(() => [{ relay: "wss://a.example/", fetchedAt: 0, events: [next(), { content: next() }] }])
          }
          const fetcher = Fetcher.make({
            tools: Effect.succeed(tools),
            decompress: Effect.die("no text is judged here"),
            isBrowser: false
          })
          const exit = await Effect.runPromiseExit(fetcher.fetch(identifier(subject)))
          if (Exit.isFailure(exit)) {
            assert.isTrue(
              Exit.isFailure(exit) && exit.cause.reasons.every(({ _tag }) => _tag === "Fail"),
              String(exit.cause)
            )
            return
          }
          assert.isAtMost(exit.value.found.length, 16)
          assert.isAtMost(asked, 12)
        }
      ),
      { numRuns: 250 }
    )
  })
})
