/** What the providers' users, and their enemies, do with each channel. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serveHandle } from "../../kits/proofs/BlueskyServer.ts"
import { serve } from "../../kits/proofs/HttpsHosts.ts"
import { nostrAuthor } from "../../kits/proofs/NostrAuthor.ts"
import { fetchProof } from "../../kits/proofs/ProofFetcherKit.ts"
import { proofServers } from "../../kits/proofs/ProofServers.ts"

const compact = "kez:z1:KLUv_SBQgQIAaGVsbG8"
const other = "kez:z1:b3RoZXI"
const textsOf = ({ found }: { readonly found: ReadonlyArray<{ readonly text: string }> }) =>
  found.map(({ text }) => text)

describe("github", () => {
  const subject = "github:octocat"

  it.live("reads the newest gist kez.md of the user, then the README of the profile", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { gists, readmes, users } = servers.github
      users.add("octocat").add("mallory")
      readmes.set("octocat", `# Hi\n\n\`\`\`kez\n${other}\n\`\`\`\n`)
      gists.push({ owner: "octocat", isPublic: false, files: { "kez.md": "secret" } })
      gists.push({ owner: "mallory", files: { "kez.md": other } })
      gists.push(...Array.from({ length: 120 }, (_, n) => ({ owner: "octocat", files: { [`${n}.txt`]: "x" } })))
      gists.push({ owner: "octocat", files: { "a.txt": "x", "KEZ.md": compact } })
      gists.push({ owner: "octocat", files: { "kez.md": "older" } })
      const answer = yield* fetchProof(servers, subject)
      assert.deepStrictEqual(textsOf(answer), [compact, readmes.get("octocat") ?? ""])
      assert.deepStrictEqual(answer.asked, ["gist kez.md of octocat", "README of github.com/octocat/octocat"])
    })
  )

  it.live("hands on a file that is no proof, so that the user learns what is wrong with it", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      servers.github.users.add("octocat")
      servers.github.readmes.set("octocat", "# Hi, this is my profile")
      servers.github.gists.push({ owner: "octocat", files: { "kez.md": "coming soon" } })
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), ["coming soon"])
    })
  )

  it.live("says until when its limit of requests holds, and what the README says meanwhile", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { github } = servers
      github.users.add("octocat")
      github.limit.remaining = 0
      const error = yield* Effect.flip(fetchProof(servers, subject))
      assert.deepStrictEqual([error.reason, error.retryAt], ["rate_limited", github.limit.reset * 1000])
      github.readmes.set("octocat", other.padStart(40))
      const answer = yield* fetchProof(servers, subject)
      assert.deepStrictEqual(textsOf(answer), [other])
      assert.deepStrictEqual([answer.missed?.reason, answer.missed?.subject], ["rate_limited", subject])
    })
  )

  it.live("leaves a gist alone whose file lies elsewhere", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      for (const raw_url of [
        "https://elsewhere.kez.test/octocat/aa/raw/bb/kez.md",
        "https://gist.githubusercontent.com/mallory/aa/raw/bb/kez.md",
        "https://gist.githubusercontent.com/octocat/aa/raw/bb/../../../../mallory/aa/raw/bb/kez.md",
        "https://gist.githubusercontent.com@elsewhere.kez.test/octocat/aa/raw/bb/kez.md",
        "http://gist.githubusercontent.com/octocat/aa/raw/bb/kez.md",
        7
      ]) {
        servers.https.overrides.set("api.github.com", (_, response) =>
          response
            .writeHead(200)
            .end(JSON.stringify([{ public: true, owner: { login: "octocat" }, files: { "kez.md": { raw_url } } }]))
        )
        assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
      }
      for (const body of ["<html>", "", "null", "{}", "[null, 1, {}]", '[{"owner": 1}]']) {
        servers.https.overrides.set("api.github.com", (_, response) => response.writeHead(200).end(body))
        const outcome = yield* Effect.exit(fetchProof(servers, subject))
        assert.strictEqual(outcome._tag, body.startsWith("[") ? "Success" : "Failure", body)
      }
    })
  )
})

describe("nostr", () => {
  const author = nostrAuthor(9)
  const subject = `nostr:${author.npub}`

  it.live("reads profile, application data and notes of several relays, newest first", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const [first, second, third] = servers.relays
      const profile = (about: string, at: number) => author.event(0, JSON.stringify({ name: "alice", about }), { at })
      first?.events.push(profile(other, 100), author.event(1, `a\n${other}`, { at: 50 }))
      second?.events.push(profile(`me\n${compact}`, 200), author.event(1, `b ${compact}`, { at: 60 }))
      third?.events.push(author.event(30_078, "{}", { at: 10, tags: [["d", "kez"]] }), profile(other, 90))
      const answer = yield* fetchProof(servers, subject)
      assert.deepStrictEqual(textsOf(answer), [compact, "{}", compact, other])
      assert.match(answer.found[0]?.url ?? "", /^wss:\/\/relay2\.kez\.test\/#[0-9a-f]{64}$/)
      assert.strictEqual(answer.found[0]?.digest, `sha256:${answer.found[0]?.url.slice(-64)}`)
    })
  )

  it.live("takes no event that its author did not sign, or of another kind", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const [relay] = servers.relays
      const event = author.event(1, compact)
      const mallory = nostrAuthor(8)
      if (relay === undefined) return assert.fail()
      relay.behaviour = "forged"
      relay.events.push(
        mallory.event(1, compact),
        { ...mallory.event(1, compact), pubkey: author.pubkey },
        { ...event, content: other },
        { ...event, sig: event.sig.replace(/^../, (digits) => (digits === "00" ? "01" : "00")) },
        { ...event, sig: mallory.event(1, compact).sig },
        { ...event, id: event.id.toUpperCase() },
        { ...event, created_at: event.created_at + 0.5 },
        { ...event, tags: [[1]] },
        { ...event, id: "00" },
        { ...event, pubkey: "0".repeat(64) },
        author.event(4, compact),
        author.event(30_078, compact, { tags: [["d", "other"]] }),
        author.event(30_078, compact),
        author.event(0, compact),
        author.event(0, "null"),
        null,
        7,
        "text",
        []
      )
      assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
    })
  )

  it.live("is not empty, but unreachable, while a relay that may hold the proof does not answer", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const [first, second, third] = servers.relays
      if (first === undefined || second === undefined || third === undefined) return assert.fail()
      for (const [behaviour, words] of [
        ["refuses", /auth-required/],
        ["gone", /connection failed|closed/],
        ["floods", /more than is accepted|connection failed/]
      ] as const) {
        second.behaviour = behaviour
        const error = yield* Effect.flip(fetchProof(servers, subject))
        assert.strictEqual(error.reason, "network")
        assert.match(error.message, words)
      }
      third.events.push(author.event(1, compact))
      const answer = yield* fetchProof(servers, subject)
      assert.deepStrictEqual(textsOf(answer), [compact])
      assert.strictEqual(answer.missed?.reason, "network")
    })
  )
})

describe("nostr's long notes", () => {
  it.live("do not hide a proof among the first mebibyte of them", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const author = nostrAuthor(9)
      const [relay, ...others] = servers.relays
      others.forEach((other) => Object.assign(other, { behaviour: "gone" }))
      relay?.events.push(author.event(0, JSON.stringify({ about: compact })))
      for (let n = 0; n < 20; n++) relay?.events.push(author.event(1, "x".repeat(90_000), { at: n }))
      const answer = yield* fetchProof(servers, `nostr:${author.npub}`)
      assert.deepStrictEqual(textsOf(answer), [compact])
      assert.strictEqual(answer.missed?.reason, "network")
    })
  )
})

describe("bluesky", () => {
  const subject = "bluesky:alice.kez.test"
  const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
  const mallory = "did:plc:ragtjsm2j2vknwkz3zp4oxrd"

  const known = Effect.map(proofServers, (servers) => {
    const { bluesky, dns } = servers
    dns.txt.set("_atproto.alice.kez.test", [[`did=${did}`]])
    bluesky.documents.set(did, ["alice.kez.test"])
    bluesky.posts.set(did, [{ record: { text: compact } }])
    serveHandle(servers.https, bluesky, "alice.kez.test")
    return servers
  })

  it.live("finds proofs in texts, links and descriptions of images of the account's own posts", () =>
    Effect.gen(function* () {
      const servers = yield* known
      servers.bluesky.posts.set(did, [
        { record: { text: other }, repostOf: mallory },
        {
          record: {
            text: "x",
            embed: { $type: "app.bsky.embed.external", external: { uri: `https://a.test/#${compact}` } }
          }
        },
        { record: { text: "y", embed: { $type: "app.bsky.embed.images", images: [{ alt: `key: ${other}` }] } } }
      ])
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), [compact, other])
    })
  )

  it.live("asks the handle's own host where its domain has no record", () =>
    Effect.gen(function* () {
      const servers = yield* known
      servers.dns.txt.clear()
      servers.bluesky.handles.set("alice.kez.test", did)
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), [compact])
      servers.bluesky.handles.clear()
      assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
      servers.dns.fails = "SERVFAIL"
      assert.strictEqual((yield* Effect.flip(fetchProof(servers, subject))).reason, "network")
    })
  )

  it.live("takes no account whose handle and DID do not name each other", () =>
    Effect.gen(function* () {
      const servers = yield* known
      const { bluesky, dns } = servers
      const finds = Effect.map(fetchProof(servers, subject), ({ found }) => found.length)
      for (const handles of [["mallory.kez.test"], ["mallory.kez.test", "alice.kez.test"], []]) {
        bluesky.documents.set(did, handles)
        assert.strictEqual(yield* finds, 0)
      }
      bluesky.documents.set(did, ["alice.kez.test"])
      for (const records of [[`did=${did}`, `did=${mallory}`], ["did=did:key:z6Mk"], [`did=${did}/../x`], ["did="]]) {
        dns.txt.set(
          "_atproto.alice.kez.test",
          records.map((record) => [record])
        )
        assert.strictEqual(yield* finds, 0, records.join())
      }
    })
  )
})

describe("ap", () => {
  const subject = "ap:alice@social.kez.test"
  const person = { fields: [], summary: "", posts: [] }

  it.live("reads fields, summary and posts as they are written in HTML", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const shortened = `<a href="https://a.test/#${compact}"><span class="invisible">https://</span>a.test…</a>`
      const fence = `<p>\`\`\`kez<br>{&quot;kez&quot;:1}<br>\`\`\`</p>`
      servers.fediverse.people.set("alice", {
        fields: [
          ["Web", "<a href='https://a.test'>a.test</a>"],
          ["KEZ", shortened]
        ],
        summary: `<p>Hello <!-- ${other} --><script>${other.slice(0, 9)}</script></p>${fence}`,
        posts: [`<p>kez&#58;z1:<wbr>b3Ro<b>ZXI</b></p>`, "<p>nothing"]
      })
      const answer = yield* fetchProof(servers, subject)
      const [first, second, ...more] = textsOf(answer)
      assert.strictEqual(first, compact)
      assert.include(second, '```kez\n{"kez":1}\n```')
      assert.deepStrictEqual(more, [other])
    })
  )

  it.live("takes no actor that is not the one that WebFinger names", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { fediverse } = servers
      fediverse.people.set("alice", { ...person, summary: compact })
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), [compact])
      for (const override of [
        { id: "https://elsewhere.kez.test/users/alice" },
        { id: "https://social.kez.test/users/mallory" },
        { preferredUsername: "mallory" }
      ]) {
        fediverse.actorOverrides.set("alice", override)
        assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
      }
      fediverse.actorOverrides.set("alice", { id: ["https://social.kez.test/users/alice"] })
      assert.strictEqual((yield* Effect.flip(fetchProof(servers, subject))).reason, "network")
      fediverse.actorOverrides.clear()
      fediverse.fingerOverrides.set("alice", { subject: "acct:mallory@social.kez.test" })
      assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
      for (const [href, reason] of [
        ["http://social.kez.test/users/alice", "forbidden"],
        ["https://127.0.0.1/users/alice", "forbidden"],
        ["https://[::ffff:10.0.0.1]/users/alice", "forbidden"],
        ["https://u:p@social.kez.test/users/alice", "forbidden"],
        ["javascript:alert(1)", "forbidden"],
        ["", "forbidden"]
      ] as const) {
        fediverse.fingerOverrides.set("alice", { links: [{ rel: "self", type: "application/activity+json", href }] })
        assert.strictEqual((yield* Effect.flip(fetchProof(servers, subject))).reason, reason, href)
      }
    })
  )

  it.live("reads posts of the actor alone, from the actor's host", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { fediverse } = servers
      fediverse.people.set("alice", { ...person, posts: [compact] })
      assert.deepStrictEqual(textsOf(yield* fetchProof(servers, subject)), [compact])
      let asked = 0
      serve(servers.https, "elsewhere.kez.test", (_, response) => {
        asked += 1
        response.end("{}")
      })
      fediverse.actorOverrides.set("alice", { outbox: "https://elsewhere.kez.test/outbox" })
      assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
      assert.strictEqual(asked, 0)
      const attributedTo = "https://social.kez.test/users/mallory"
      const orderedItems = [{ type: "Note", attributedTo, content: compact }, 7, null, { type: "Create" }]
      fediverse.actorOverrides.set("alice", { outbox: "https://social.kez.test/box" })
      servers.https.overrides.set("social.kez.test", (request, response, url) => {
        if (url.pathname === "/box") response.end(JSON.stringify({ type: "OrderedCollection", orderedItems }))
        else servers.https.handlers.get("social.kez.test")?.(request, response, url)
      })
      assert.deepStrictEqual((yield* fetchProof(servers, subject)).found, [])
    })
  )

  it.live("tells of posts that cannot be asked for, and needs a server that shows actors to all", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { fediverse } = servers
      fediverse.people.set("alice", { ...person, summary: compact })
      fediverse.fails.set("/users/alice/outbox", 401)
      const answer = yield* fetchProof(servers, subject)
      assert.deepStrictEqual([textsOf(answer), answer.missed?.reason], [[compact], "network"])
      fediverse.fails.set("/users/alice", 401)
      assert.match((yield* Effect.flip(fetchProof(servers, subject))).message, /status 401/)
    })
  )
})
