/**
 * What channels read in recorded answers, and what is asked at all. The answers are written by hand in the form of the
 * providers' documentation; nothing in them was said by a provider. Candidates are texts: none is judged here.
 */
import { hex } from "./Bytes.ts"
import { compact } from "./envelope.ts"
import * as Primitives from "./Primitives.ts"
import { alice, type Json, jcs, type JsonObject, sign, time } from "./Protocol.ts"
import * as Secp256k1 from "./Secp256k1.ts"
import { invalid, type Operation, valid, type ValidCase } from "./Vectors.ts"

const claimOf = (subject: string) =>
  sign(alice, "claim", { type: "kez.claim", version: 1, subject, primary: alice.primary, created_at: time })

/** The compact form of a claim of this subject. */
const proof = (subject: string): string => compact(jcs(claimOf(subject)))
const fence = (content: string): string => `\`\`\`kez\n${content}\n\`\`\`\n`

const ok = (body: Json | string): Json => ({
  status: 200,
  body: typeof body === "string" ? body : JSON.stringify(body)
})
const status = (code: number, headers: JsonObject = {}): Json => ({ status: code, headers, body: "" })
const gone = status(404)
const noName: Json = { records: [], exists: false }
const records = (...list: ReadonlyArray<ReadonlyArray<string>>): Json => ({ records: list })

type Answers = { readonly [ask: string]: Json }
const read = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  subject: string,
  answers: Answers,
  result: JsonObject | ReadonlyArray<string>
): ValidCase =>
  valid(id, requirements, why, { subject, answers }, Array.isArray(result) ? { found: result } : (result as JsonObject))

const network = { unreachable: "network" }
const forbidden = { unreachable: "forbidden" }

// dns
const domain = "dns:example.org"
const txt = "dns:_kez.example.org"
const dnsProof = proof(domain)
const dns = [
  read("dns", ["KEZ-PRF-103"], "one record among others", domain, { [txt]: records(["v=spf1 -all"], [dnsProof]) }, [
    dnsProof
  ]),
  read(
    "dns-pieces",
    ["KEZ-PRF-103"],
    "pieces of 255 bytes, joined with nothing",
    domain,
    { [txt]: records([dnsProof.slice(0, 255), dnsProof.slice(255)]) },
    [dnsProof]
  ),
  read(
    "dns-quotes",
    ["KEZ-PRF-103"],
    "a panel that kept the quotation marks, and a label before the proof",
    domain,
    { [txt]: records([`kez="${dnsProof.slice(0, 200)}" "${dnsProof.slice(200)}"`]) },
    [dnsProof]
  ),
  read(
    "dns-two",
    ["KEZ-PRF-100"],
    "two records, in their order",
    domain,
    { [txt]: records(["kez:z1:AAAA"], [dnsProof]) },
    ["kez:z1:AAAA", dnsProof]
  ),
  read("dns-json", ["KEZ-PRF-102"], "plain JSON", domain, { [txt]: records([' {"kez":"claim"}']) }, [
    '{"kez":"claim"}'
  ]),
  read("dns-none", ["KEZ-PRF-101"], "a name without such records", domain, { [txt]: records() }, []),
  read(
    "dns-no-name",
    ["KEZ-PRF-103"],
    "no such name in a domain",
    domain,
    { [txt]: noName, "dns:example.org": records() },
    []
  ),
  read(
    "dns-no-domain",
    ["KEZ-PRF-103"],
    "a resolver that knows no domain",
    domain,
    { [txt]: noName, "dns:example.org": noName },
    network
  ),
  read("dns-failure", ["KEZ-PRF-101"], "name servers that fail", domain, { [txt]: { failure: "SERVFAIL" } }, network),
  read(
    "dns-many",
    ["KEZ-PRF-100"],
    "more candidates than are tried",
    domain,
    { [txt]: records(...Array.from({ length: 20 }, (_, n) => [`kez:z1:AAA${n}`])) },
    Array.from({ length: 16 }, (_, n) => `kez:z1:AAA${n}`)
  )
]

// github
const user = "github:Octocat"
const gists = "https://api.github.com/users/octocat/gists?per_page=100&page=1"
const raw =
  "https://gist.githubusercontent.com/octocat/aa5a315d61ae9438b18d/raw/7b3d2f1c0e9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c/kez.md"
const readme = "https://raw.githubusercontent.com/octocat/octocat/HEAD/README.md"
const gistPage = `# KEZ proof\n\nPrimary: ${alice.primary}\n\n${fence(jcs(claimOf("github:octocat")))}`
const gist = (members: JsonObject = {}, file: JsonObject = {}, name = "kez.md"): JsonObject => ({
  url: "https://api.github.com/gists/aa5a315d61ae9438b18d",
  id: "aa5a315d61ae9438b18d",
  files: { [name]: { filename: name, type: "text/markdown", language: "Markdown", raw_url: raw, size: 700, ...file } },
  public: true,
  created_at: time,
  updated_at: time,
  description: "",
  owner: { login: "octocat", id: 583_231, type: "User" },
  ...members
})
const github = [
  read("github-gist", ["KEZ-PRF-104"], "a gist", user, { [gists]: ok([gist()]), [raw]: ok(gistPage), [readme]: gone }, [
    gistPage
  ]),
  read(
    "github-case",
    ["KEZ-PRF-104"],
    "names in other cases",
    user,
    {
      [gists]: ok([gist({ owner: { login: "OctoCat" } }, {}, "KEZ.md")]),
      [raw]: ok(gistPage),
      [readme]: gone
    },
    [gistPage]
  ),
  read(
    "github-readme",
    ["KEZ-PRF-100"],
    "the profile's README, where there is no gist",
    user,
    { [gists]: ok([]), [readme]: ok(`# Hi\n\n${fence(proof("github:octocat"))}`) },
    [`# Hi\n\n${fence(proof("github:octocat"))}`]
  ),
  read(
    "github-both",
    ["KEZ-PRF-100"],
    "the gist first, then the README",
    user,
    { [gists]: ok([gist()]), [raw]: ok("coming soon"), [readme]: ok(`see ${proof("github:octocat")}.`) },
    ["coming soon", proof("github:octocat")]
  ),
  read(
    "github-secret",
    ["KEZ-PRF-104"],
    "a secret gist, and one of somebody else",
    user,
    {
      [gists]: ok([gist({ public: false }), gist({ owner: { login: "mallory" } })]),
      [raw]: ok(gistPage),
      [readme]: gone
    },
    []
  ),
  ...[
    "https://evil.example/octocat/aa/raw/bb/kez.md",
    "https://gist.githubusercontent.com.evil.example/octocat/aa/raw/bb/kez.md",
    "https://gist.githubusercontent.com@evil.example/octocat/aa/raw/bb/kez.md",
    "https://gist.githubusercontent.com/mallory/aa/raw/bb/kez.md",
    "https://gist.githubusercontent.com/octocat/aa/raw/bb/../../../../mallory/aa/raw/bb/kez.md",
    "http://gist.githubusercontent.com/octocat/aa/raw/bb/kez.md",
    7
  ].map((raw_url, n) =>
    read(
      `github-elsewhere-${n + 1}`,
      ["KEZ-PRF-104"],
      "a file that is not the user's own",
      user,
      { [gists]: ok([gist({}, { raw_url })]), [String(raw_url)]: ok(gistPage), [readme]: gone },
      []
    )
  ),
  read("github-unknown", ["KEZ-PRF-101"], "no such user", user, { [gists]: gone, [readme]: gone }, []),
  read(
    "github-limit",
    ["KEZ-PRF-116"],
    "no request is left",
    user,
    {
      [gists]: status(403, {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "4102444800"
      }),
      [readme]: gone
    },
    { unreachable: "rate_limited" }
  ),
  read(
    "github-limit-readme",
    ["KEZ-PRF-101"],
    "no request is left, and the README holds a candidate",
    user,
    { [gists]: status(429, { "retry-after": "60" }), [readme]: ok(proof("github:octocat")) },
    { found: [proof("github:octocat")], missed: "rate_limited" }
  ),
  read("github-down", ["KEZ-PRF-101"], "a server that fails", user, { [gists]: status(502), [readme]: gone }, network),
  ...["{}", '{"items":[],"message":"maintenance"}', "null", '"[]"'].map((body, n) =>
    read(
      `github-form-${n + 1}`,
      ["KEZ-PRF-101"],
      "JSON that is no list of gists",
      user,
      { [gists]: ok(body), [readme]: gone },
      network
    )
  ),
  read(
    "github-html",
    ["KEZ-PRF-101"],
    "a page instead of JSON",
    user,
    { [gists]: ok("<html>"), [readme]: gone },
    network
  )
]

// web
const site = "web:https://example.org/~alice/"
const file = "https://example.org/~alice/.well-known/kez.json"
const webProof = JSON.stringify(claimOf("web:https://example.org/~alice"), undefined, 2)
const web = [
  read("web", ["KEZ-PRF-100"], "the file", site, { [file]: ok(`${webProof}\n`) }, [webProof]),
  read(
    "web-port",
    ["KEZ-PRF-100"],
    "another port",
    "web:example.org:8443",
    { "https://example.org:8443/.well-known/kez.json": ok(webProof) },
    [webProof]
  ),
  read("web-compact", ["KEZ-PRF-102"], "the compact form in the file", site, { [file]: ok(`${proof(site)}\n`) }, [
    proof(site)
  ]),
  read("web-corrupt", ["KEZ-PRF-102"], "a file that is no proof is a candidate", site, { [file]: ok("not yet\n") }, [
    "not yet\n"
  ]),
  read("web-empty", ["KEZ-PRF-101"], "an empty file", site, { [file]: ok(" \n") }, []),
  ...[404, 410].map((code) =>
    read(`web-${code}`, ["KEZ-PRF-101"], "nothing there", site, { [file]: status(code) }, [])
  ),
  ...[204, 206, 400, 401, 403, 451, 500, 503].map((code) =>
    read(
      `web-${code}`,
      ["KEZ-PRF-101"],
      "an answer that says nothing of a proof",
      site,
      { [file]: status(code) },
      network
    )
  ),
  read("web-429", ["KEZ-PRF-116"], "too many requests", site, { [file]: status(429) }, { unreachable: "rate_limited" }),
  ...[
    "https://evil.example/kez.json",
    "https://www.example.org/.well-known/kez.json",
    "https://example.org:8443/.well-known/kez.json",
    "http://example.org/.well-known/kez.json",
    "https://169.254.169.254/latest/meta-data"
  ].map((location, n) =>
    read(
      `web-redirect-${n + 1}`,
      ["KEZ-PRF-112"],
      "a redirect to another place",
      site,
      { [file]: status(302, { location }), [location]: ok(webProof) },
      forbidden
    )
  ),
  read(
    "web-redirect-within",
    ["KEZ-PRF-112"],
    "a redirect within the host",
    site,
    { [file]: status(301, { location: "/kez.json" }), "https://example.org/kez.json": ok(webProof) },
    [webProof]
  ),
  read(
    "web-circle",
    ["KEZ-PRF-112"],
    "a redirect to itself",
    site,
    { [file]: status(302, { location: file }) },
    network
  ),
  read(
    "web-large",
    ["KEZ-PRF-113"],
    "more than a mebibyte",
    site,
    { [file]: { status: 200, spaces: 1_048_577 } },
    network
  ),
  read(
    "web-largest",
    ["KEZ-PRF-113"],
    "a mebibyte of white space",
    site,
    { [file]: { status: 200, spaces: 1_048_576 } },
    []
  ),
  read("web-silent", ["KEZ-PRF-101"], "a host that does not answer", site, {}, network)
]

// nostr
const secret = Primitives.stream("proofs on nostr", 32)
const stranger = Primitives.stream("a stranger on nostr", 32)
const npub = `nostr:${Secp256k1.npub(Secp256k1.publicKey(secret))}`
const nostrProof = proof(npub)
const event = (
  kind: number,
  content: string,
  at: number,
  { by = secret, tags = [] }: { by?: Uint8Array; tags?: ReadonlyArray<ReadonlyArray<string>> } = {}
): JsonObject => {
  const pubkey = hex(Secp256k1.publicKey(by))
  const id = Primitives.sha256(Buffer.from(JSON.stringify([0, pubkey, at, kind, tags, content])))
  return { id: hex(id), pubkey, created_at: at, kind, tags, content, sig: hex(Secp256k1.sign(by, id)) }
}
const profile = (about: string, at: number) => event(0, JSON.stringify({ name: "alice", about }), at)
const first = "wss://relay.example/"
const second = "wss://other.example/"
const relay = (...events: ReadonlyArray<Json>): Json => ({ events })
const down: Json = { failure: "closed" }
const note = event(1, `my key: ${nostrProof}`, 1_780_000_000)
const nostr = [
  read(
    "nostr-profile",
    ["KEZ-PRF-105"],
    "the profile's about",
    npub,
    { [first]: relay(profile(`hi\n${nostrProof}`, 1)) },
    [nostrProof]
  ),
  read("nostr-note", ["KEZ-PRF-105"], "a note", npub, { [first]: relay(note) }, [nostrProof]),
  read(
    "nostr-data",
    ["KEZ-PRF-105"],
    "application data; with another d, and without",
    npub,
    {
      [first]: relay(
        event(30_078, nostrProof, 1, { tags: [["d", "kez"]] }),
        event(30_078, "{}", 9, { tags: [["d", "other"]] }),
        event(30_078, "{}", 9)
      )
    },
    [nostrProof]
  ),
  read(
    "nostr-newest",
    ["KEZ-PRF-105"],
    "of two profiles the newer, wherever it is; it holds none",
    npub,
    { [first]: relay(profile(nostrProof, 1)), [second]: relay(profile("moved", 2)) },
    []
  ),
  read(
    "nostr-order",
    ["KEZ-PRF-105"],
    "profile, application data, notes from the newest",
    npub,
    {
      [first]: relay(event(1, "kez:z1:b2xk", 1), event(30_078, "kez:z1:ZGF0YQ", 3, { tags: [["d", "kez"]] })),
      [second]: relay(note, profile("kez:z1:YWJvdXQ", 2))
    },
    ["kez:z1:YWJvdXQ", "kez:z1:ZGF0YQ", nostrProof, "kez:z1:b2xk"]
  ),
  ...(
    [
      ["content", "another content", { ...note, content: nostrProof }],
      ["signature", "a signature of nobody", { ...note, sig: "00".repeat(64) }],
      ["author", "an event of somebody else", event(1, nostrProof, 1, { by: stranger })],
      [
        "pretended",
        "an event of somebody else in this name",
        { ...event(1, nostrProof, 1, { by: stranger }), pubkey: note["pubkey"] ?? "" }
      ],
      ["id", "an id in capitals", { ...note, id: String(note["id"]).toUpperCase() }],
      ["kind", "a kind that does not count", event(4, nostrProof, 1)],
      ["tags", "tags that are none", { ...note, tags: [[1]] }],
      ["null", "no event", null]
    ] satisfies ReadonlyArray<readonly [string, string, Json]>
  ).map(([id, why, value]) => read(`nostr-${id}`, ["KEZ-PRF-105"], why, npub, { [first]: relay(value) }, [])),
  read("nostr-down", ["KEZ-PRF-101"], "relays that close", npub, { [first]: down, [second]: down }, network),
  read(
    "nostr-half",
    ["KEZ-PRF-105"],
    "nothing at one relay, and another does not answer",
    npub,
    { [first]: relay(), [second]: down },
    network
  ),
  read(
    "nostr-half-found",
    ["KEZ-PRF-101"],
    "a candidate at one relay, and another does not answer",
    npub,
    { [first]: relay(note), [second]: down },
    { found: [nostrProof], missed: "network" }
  )
]

// bluesky
const handle = "bluesky:alice.example"
const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const otherDid = "did:plc:ragtjsm2j2vknwkz3zp4oxrd"
const atproto = "dns:_atproto.alice.example"
const wellKnown = "https://alice.example/.well-known/atproto-did"
const document = (...alsoKnownAs: ReadonlyArray<string>): Json =>
  ok({ "@context": ["https://www.w3.org/ns/did/v1"], id: did, alsoKnownAs, verificationMethod: [], service: [] })
const plc = `https://plc.directory/${did}`
const feedUrl =
  `https://public.api.bsky.app/xrpc/app.bsky.feed.getAuthorFeed?actor=${encodeURIComponent(did)}` +
  "&filter=posts_and_author_threads&includePins=true&limit=50"
const post = (record: JsonObject, author = did): JsonObject => ({
  post: {
    uri: `at://${author}/app.bsky.feed.post/3lqd2xkzz2c2a`,
    cid: "bafyreib2rxk3rh6kzwq",
    author: { did: author, handle: "alice.example" },
    record: { $type: "app.bsky.feed.post", createdAt: time, text: "", ...record }
  }
})
const feed = (...items: ReadonlyArray<Json>): Json => ok({ feed: items })
const blueskyProof = proof(handle)
const link = `https://bsky.app/profile/alice.example#${blueskyProof}`
const linked = post({
  text: "bsky.app/profile/alice.exam...",
  facets: [{ index: { byteStart: 0, byteEnd: 30 }, features: [{ $type: "app.bsky.richtext.facet#link", uri: link }] }]
})
const account = { [atproto]: records([`did=${did}`]), [plc]: document("at://alice.example") }
const bluesky = [
  read(
    "bluesky",
    ["KEZ-PRF-106"],
    "a link that the app shortened",
    handle,
    { ...account, [feedUrl]: feed(post({ text: "hi" }), linked) },
    [blueskyProof]
  ),
  read(
    "bluesky-image",
    ["KEZ-PRF-106"],
    "the description of an image, and a linked page",
    handle,
    {
      ...account,
      [feedUrl]: feed(
        post({ embed: { $type: "app.bsky.embed.images", images: [{ alt: blueskyProof, image: {} }] } }),
        post({
          embed: { $type: "app.bsky.embed.external", external: { uri: "https://a.example/#kez:z1:AAAA", title: "" } }
        })
      )
    },
    [blueskyProof, "kez:z1:AAAA"]
  ),
  read(
    "bluesky-repost",
    ["KEZ-PRF-106"],
    "a repost",
    handle,
    { ...account, [feedUrl]: feed(post({ text: blueskyProof }, otherDid)) },
    []
  ),
  read(
    "bluesky-well-known",
    ["KEZ-PRF-106"],
    "a handle without a record",
    handle,
    { ...account, [atproto]: records(), [wellKnown]: ok(`${did}\n`), [feedUrl]: feed(linked) },
    [blueskyProof]
  ),
  read(
    "bluesky-nobody",
    ["KEZ-PRF-106"],
    "a handle of nobody",
    handle,
    { [atproto]: records(), [wellKnown]: gone },
    []
  ),
  read(
    "bluesky-two",
    ["KEZ-PRF-106"],
    "two DIDs in the domain's records",
    handle,
    {
      ...account,
      [atproto]: records([`did=${did}`], [`did=${otherDid}`]),
      [wellKnown]: ok(did),
      [feedUrl]: feed(linked)
    },
    []
  ),
  ...(
    [
      ["other", "a DID that names another handle", document("at://mallory.example")],
      ["second", "a DID that names it second", document("at://mallory.example", "at://alice.example")],
      ["none", "a DID that names none", document("https://alice.example")],
      ["deleted", "a DID that is gone", status(410)],
      ["foreign", "the document of another DID", ok({ id: otherDid, alsoKnownAs: ["at://alice.example"] })]
    ] satisfies ReadonlyArray<readonly [string, string, Json]>
  ).map(([id, why, answer]) =>
    read(`bluesky-${id}`, ["KEZ-PRF-106"], why, handle, { ...account, [plc]: answer, [feedUrl]: feed(linked) }, [])
  ),
  ...(
    [
      ["feed", "an answer without a feed", { [feedUrl]: ok({ message: "maintenance" }) }],
      ["document", "an answer that is no DID document", { [plc]: ok({}), [feedUrl]: feed(linked) }]
    ] satisfies ReadonlyArray<readonly [string, string, Answers]>
  ).map(([id, why, answers]) =>
    read(`bluesky-form-${id}`, ["KEZ-PRF-101"], why, handle, { ...account, ...answers }, network)
  ),
  read("bluesky-down", ["KEZ-PRF-101"], "a feed that fails", handle, { ...account, [feedUrl]: status(502) }, network),
  read(
    "bluesky-missing",
    ["KEZ-PRF-101"],
    "an answer in no known form",
    handle,
    { ...account, [feedUrl]: status(400) },
    network
  )
]

// ap
const person = "mastodon:@Alice@social.example"
const finger = "https://social.example/.well-known/webfinger?resource=acct%3Aalice%40social.example"
const actorUrl = "https://social.example/users/alice"
const outboxUrl = `${actorUrl}/outbox`
const apProof = proof("ap:alice@social.example")
const jrd = (members: JsonObject = {}): Json =>
  ok({
    subject: "acct:alice@social.example",
    aliases: [actorUrl],
    links: [
      { rel: "http://webfinger.net/rel/profile-page", type: "text/html", href: "https://social.example/@alice" },
      { rel: "self", type: "application/activity+json", href: actorUrl }
    ],
    ...members
  })
const actor = (members: JsonObject = {}): Json =>
  ok({
    "@context": "https://www.w3.org/ns/activitystreams",
    id: actorUrl,
    type: "Person",
    preferredUsername: "alice",
    summary: "",
    attachment: [],
    outbox: outboxUrl,
    ...members
  })
const create = (content: string, attributedTo = actorUrl): JsonObject => ({
  type: "Create",
  actor: actorUrl,
  object: { id: `${actorUrl}/statuses/1`, type: "Note", attributedTo, content }
})
const outbox = (...orderedItems: ReadonlyArray<Json>) => ({
  [outboxUrl]: ok({ type: "OrderedCollection", totalItems: 1, first: `${outboxUrl}?page=true` }),
  [`${outboxUrl}?page=true`]: ok({ type: "OrderedCollectionPage", partOf: outboxUrl, orderedItems })
})
const field = (value: string): JsonObject => ({ type: "PropertyValue", name: "KEZ", value })
const ap = [
  read(
    "ap-field",
    ["KEZ-PRF-107"],
    "fields, then the summary",
    person,
    {
      [finger]: jrd(),
      [actorUrl]: actor({ attachment: [field(apProof)], summary: "<p>Hello<br />kez:z1:AAAA</p>" }),
      ...outbox()
    },
    [apProof, "kez:z1:AAAA"]
  ),
  read(
    "ap-post",
    ["KEZ-PRF-107"],
    "a post; a boost beside it, and a post in somebody else's name",
    person,
    {
      [finger]: jrd(),
      [actorUrl]: actor(),
      ...outbox(
        { type: "Announce", actor: actorUrl, object: "https://other.example/1" },
        create("<p>kez:z1:AAAA</p>", "https://social.example/users/mallory"),
        create(`<p>${apProof.replace("kez:", "kez&#58;").replace("z1", "<b>z1</b>")}</p>`)
      )
    },
    [apProof]
  ),
  read(
    "ap-link",
    ["KEZ-PRF-107"],
    "a link that is shown shortened",
    person,
    {
      [finger]: jrd(),
      [actorUrl]: actor({
        attachment: [
          field(
            `<a href="https://a.example/#${apProof}" rel="me"><span class="invisible">https://</span>a.example…</a>`
          )
        ]
      }),
      ...outbox()
    },
    [apProof]
  ),
  read(
    "ap-fence",
    ["KEZ-PRF-102"],
    "a fence with JSON, with entities, and a comment",
    person,
    {
      [finger]: jrd(),
      [actorUrl]: actor({ summary: "<!-- kez:z1:AAAA --><p>```kez<br>{&quot;a&quot;: &lt;1&gt;}<br>```" }),
      ...outbox()
    },
    ['\n```kez\n{"a": <1>}\n```']
  ),
  ...(
    [
      ["finger", "WebFinger in another form", { [finger]: ok({}) }],
      ["actor", "an actor in another form", { [finger]: jrd(), [actorUrl]: ok({ error: "maintenance" }) }],
      ["outbox", "an outbox in another form", { [finger]: jrd(), [actorUrl]: actor(), [outboxUrl]: ok({}) }]
    ] satisfies ReadonlyArray<readonly [string, string, Answers]>
  ).map(([id, why, answers]) => read(`ap-form-${id}`, ["KEZ-PRF-101"], why, person, answers, network)),
  read(
    "ap-empty",
    ["KEZ-PRF-101"],
    "an outbox that says that it is empty",
    person,
    { [finger]: jrd(), [actorUrl]: actor(), [outboxUrl]: ok({ type: "OrderedCollection", totalItems: 0 }) },
    []
  ),
  read("ap-nobody", ["KEZ-PRF-101"], "no such account", person, { [finger]: gone }, []),
  ...(
    [
      [
        "subject",
        "WebFinger for somebody else",
        jrd({ subject: "acct:mallory@social.example" }),
        actor({ summary: apProof })
      ],
      ["id", "an actor with another id", jrd(), actor({ summary: apProof, id: "https://evil.example/users/alice" })],
      ["name", "an actor with another name", jrd(), actor({ summary: apProof, preferredUsername: "mallory" })]
    ] satisfies ReadonlyArray<readonly [string, string, Json, Json]>
  ).map(([id, why, first, second]) =>
    read(`ap-${id}`, ["KEZ-PRF-107"], why, person, { [finger]: first, [actorUrl]: second, ...outbox() }, [])
  ),
  read(
    "ap-outbox-elsewhere",
    ["KEZ-PRF-107"],
    "an outbox on another host",
    person,
    {
      [finger]: jrd(),
      [actorUrl]: actor({ outbox: "https://evil.example/outbox" }),
      "https://evil.example/outbox": ok({ type: "OrderedCollection", orderedItems: [create(apProof)] })
    },
    []
  ),
  read(
    "ap-outbox-down",
    ["KEZ-PRF-101"],
    "an outbox that is not shown to all",
    person,
    { [finger]: jrd(), [actorUrl]: actor({ summary: apProof }), [outboxUrl]: status(401) },
    { found: [apProof], missed: "network" }
  ),
  read(
    "ap-redirect",
    ["KEZ-PRF-112"],
    "WebFinger at another host",
    person,
    { [finger]: status(301, { location: finger.replace("social", "www.social") }) },
    forbidden
  ),
  ...[
    "http://social.example/users/alice",
    "https://127.0.0.1/users/alice",
    "https://u:p@social.example/users/alice",
    "file:///etc/passwd"
  ].map((href, n) =>
    read(
      `ap-actor-${n + 1}`,
      ["KEZ-PRF-110"],
      "an actor at a URL that is not asked",
      person,
      { [finger]: jrd({ links: [{ rel: "self", type: "application/activity+json", href }] }), [href]: actor() },
      forbidden
    )
  ),
  read("ap-no-actor", ["KEZ-PRF-101"], "WebFinger without an actor", person, { [finger]: jrd({ links: [] }) }, network)
]

// did
const web3 = "did:web:example.org:people:alice"
const didUrl = "https://example.org/people/alice/did.json"
const didProof = proof(web3)
const dids = [
  read(
    "did",
    ["KEZ-PRF-108"],
    "a did:web with a path",
    web3,
    { [didUrl]: ok({ id: web3, alsoKnownAs: ["https://example.org", didProof] }) },
    [didProof]
  ),
  read(
    "did-port",
    ["KEZ-PRF-108"],
    "a did:web with a port",
    "did:web:example.org%3A8443",
    {
      "https://example.org:8443/.well-known/did.json": ok({ id: "did:web:example.org%3A8443", alsoKnownAs: [didProof] })
    },
    [didProof]
  ),
  read(
    "did-other",
    ["KEZ-PRF-108"],
    "the document of another DID",
    web3,
    { [didUrl]: ok({ id: "did:web:example.org", alsoKnownAs: [didProof] }) },
    []
  ),
  read("did-form", ["KEZ-PRF-101"], "an answer that is no DID document", web3, { [didUrl]: ok([]) }, network),
  ...[
    "did:key:z6MkhaXgBZD",
    "did:web:127.0.0.1",
    "did:web:example.org%2Fa",
    "did:web:example.org:..",
    "farcaster:fid"
  ].map((subject, n) =>
    read(
      `did-method-${n + 1}`,
      ["KEZ-PRF-108"],
      "nothing that is asked for",
      subject,
      {},
      { unreachable: "unsupported" }
    )
  )
]

const reading: Operation = {
  file: "proofs/read",
  operation: "proof.read",
  description:
    "input: an identity, and what is answered to whoever asks: by URL a status, headers and a body, or as many spaces as a body; by dns: and a name the strings of its TXT records, and whether the name exists where it does not; by the URL of a relay its events (these relays are asked, and no others). What is not there does not answer. result: the candidates in their order, and why a place was missed; or why the identity is unreachable.",
  valid: [...dns, ...github, ...web, ...nostr, ...bluesky, ...ap, ...dids]
}

// What is asked at all.
const hostileUrls: ReadonlyArray<readonly [url: string, why: string]> = [
  ["http://example.org/", "plain http"],
  ["ws://example.org/", "a plain WebSocket"],
  ["ftp://example.org/", "another scheme"],
  ["file:///etc/passwd", "a file"],
  ["data:text/plain,kez", "no server at all"],
  ["javascript:alert(1)", "a script"],
  ["https://user:password@example.org/", "a password"],
  ["https://user@example.org/", "a user"],
  ["https://127.0.0.1/", "this machine"],
  ["https://127.1/", "this machine, shortened"],
  ["https://2130706433/", "this machine, as one number"],
  ["https://0x7f000001/", "this machine, in hexadecimal"],
  ["https://0177.0.0.1/", "this machine, in octal"],
  ["https://127.0.0.1./", "this machine, with a dot"],
  ["https://①②⑦.⓪.⓪.①/", "this machine, in other digits"],
  ["https://localhost/", "the name of this machine"],
  ["https://LOCALHOST:8443/", "the same, in capitals"],
  ["https://a.localhost/", "a name under it"],
  ["https://[::1]/", "this machine, IPv6"],
  ["https://[::]/", "unspecified"],
  ["https://[::ffff:127.0.0.1]/", "mapped"],
  ["https://[::ffff:7f00:1]/", "mapped, in hexadecimal"],
  ["https://[::ffff:a9fe:a9fe]/", "mapped metadata service"],
  ["https://[64:ff9b::10.0.0.1]/", "behind NAT64"],
  ["https://[64:ff9b:1::a00:1]/", "local-use NAT64"],
  ["https://[2002:7f00:1::]/", "in 6to4"],
  ["https://[2002:c0a8:101::1]/", "a private one in 6to4"],
  ["https://[fe80::1]/", "link-local"],
  ["https://[fd00::1]/", "unique local"],
  ["https://[fec0::1]/", "site-local"],
  ["https://[ff02::1]/", "multicast"],
  ["https://[2001:db8::1]/", "documentation"],
  ["https://10.0.0.1/", "private"],
  ["https://172.16.0.1/", "private"],
  ["https://192.168.0.1/", "private"],
  ["https://169.254.169.254/latest/meta-data/", "the metadata service of clouds"],
  ["https://100.64.0.1/", "a carrier's"],
  ["https://0.0.0.0/", "unspecified"],
  ["https://0/", "the same, as one number"],
  ["https://192.0.2.1/", "documentation"],
  ["https://198.18.0.1/", "benchmarks"],
  ["https://224.0.0.1/", "multicast"],
  ["https://255.255.255.255/", "broadcast"],
  [`https://example.org/${"a".repeat(2_048)}`, "a URL without end"],
  ["https://router/", "one label"],
  ["https://nas.local/", "multicast DNS"],
  ["https://vault.internal/", "a private name"],
  ["https://printer.home.arpa/", "a home's name"],
  ["https://gateway.lan/", "a local name"]
]
const hostileAnswers: ReadonlyArray<readonly [addresses: ReadonlyArray<string>, why: string]> = [
  [["127.0.0.1"], "this machine"],
  [["127.8.8.8"], "all of 127.0.0.0/8"],
  [["::1"], "this machine, IPv6"],
  [["::ffff:127.0.0.1"], "mapped"],
  [["64:ff9b::7f00:1"], "behind NAT64"],
  [["2002:7f00:1::1"], "in 6to4"],
  [["10.255.255.255"], "private"],
  [["192.168.1.1"], "private"],
  [["172.31.255.255"], "private"],
  [["169.254.169.254"], "the metadata service of clouds"],
  [["100.100.100.200"], "another cloud's, a carrier's address"],
  [["fd00:ec2::254"], "the same in IPv6, unique local"],
  [["fe80::1"], "link-local"],
  [["0.0.0.0"], "unspecified"],
  [["::"], "unspecified"],
  [["255.255.255.255"], "broadcast"],
  [["10.0.0.1", "127.0.0.1", "::1"], "several, none of them public"]
]
const target: Operation = {
  file: "proofs/target",
  operation: "proof.target",
  description:
    "input: a URL that a stranger names and, for a name, the addresses that it has. result: the addresses that may be connected to, null without addresses.",
  valid: [
    valid("name", ["KEZ-PRF-110"], "a name: its addresses decide", { url: "https://example.org/a" }, null),
    valid("port", ["KEZ-PRF-110"], "another port", { url: "https://example.org:8443/" }, null),
    valid("address", ["KEZ-PRF-110"], "a public address", { url: "https://192.0.1.1/" }, null),
    valid("relay", ["KEZ-PRF-110"], "a relay", { url: "wss://relay.example/" }, null),
    valid(
      "public",
      ["KEZ-PRF-111"],
      "public addresses",
      { url: "https://example.org/", addresses: ["192.0.1.1", "2606:4700::1111"] },
      ["192.0.1.1", "2606:4700::1111"]
    ),
    valid(
      "some",
      ["KEZ-PRF-111"],
      "a public address among others",
      { url: "https://example.org/", addresses: ["127.0.0.1", "192.0.1.1", "10.0.0.1"] },
      ["192.0.1.1"]
    )
  ],
  invalid: [
    ...hostileUrls.map(([url, why], n) => invalid(`url-${n + 1}`, ["KEZ-PRF-110"], why, { url }, "address_forbidden")),
    ...hostileAnswers.map(([addresses, why], n) =>
      invalid(
        `answer-${n + 1}`,
        ["KEZ-PRF-111"],
        why,
        { url: "https://example.org/", addresses: [...addresses] },
        "address_forbidden"
      )
    )
  ]
}

export const operations: ReadonlyArray<Operation> = [reading, target]
