/** Every channel passes the kit. */
import { type ChannelUnderTest, proofFetcherKit } from "../../kits/proofs/ProofFetcherKit.ts"
import { nostrAuthor } from "../../kits/proofs/NostrAuthor.ts"
import { type HttpsHosts, json, serve, text } from "../../kits/proofs/HttpsHosts.ts"

const segments = (value: string): ReadonlyArray<string> => value.match(/.{1,255}/g) ?? []

const author = nostrAuthor(9)
const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const linkTo = (uri: string) => ({
  index: { byteStart: 0, byteEnd: 31 },
  features: [{ $type: "app.bsky.richtext.facet#link", uri }]
})
const person = (posts: ReadonlyArray<string>) => ({ fields: [], summary: "<p>Hello</p>", posts })

const serveDid = (https: HttpsHosts, alsoKnownAs: ReadonlyArray<string>) =>
  serve(https, "site.kez.test", (_, response, { pathname }) =>
    pathname === "/people/alice/did.json"
      ? json(response, {
          "@context": "https://www.w3.org/ns/did/v1",
          id: "did:web:site.kez.test:people:alice",
          alsoKnownAs
        })
      : text(response, "", 404)
  )

const channels: Readonly<Record<string, ChannelUnderTest>> = {
  dns: {
    subject: "dns:alice.kez.test",
    publish: ({ dns }, { text }) => dns.txt.set("_kez.alice.kez.test", [["v=spf1 -all"], segments(text)]),
    remove: ({ dns }) => dns.txt.delete("_kez.alice.kez.test"),
    fail: ({ dns }) => {
      dns.fails = "SERVFAIL"
    }
  },
  github: {
    subject: "github:Octo-Cat",
    register: ({ github }) => github.users.add("Octo-Cat"),
    publish: ({ github }, { text }) => github.gists.push({ owner: "Octo-Cat", files: { "kez.md": text } }),
    remove: ({ github }) => github.gists.splice(0),
    host: "api.github.com"
  },
  web: {
    subject: "web:https://site.kez.test/~alice",
    register: ({ https }) => https.handlers.set("site.kez.test", (_, response) => text(response, "not here", 404)),
    publish: ({ https }, publication) =>
      https.handlers.set("site.kez.test", (_, response, { pathname }) =>
        pathname === "/~alice/.well-known/kez.json" ? text(response, publication.text) : text(response, "", 404)
      ),
    remove: ({ https }) => https.handlers.set("site.kez.test", (_, response) => text(response, "gone", 410)),
    host: "site.kez.test"
  },
  nostr: {
    subject: `nostr:${author.npub}`,
    publish: ({ relays }, { text }) => relays[1]?.events.push(author.event(1, `hello\n${text}\nsee you`)),
    remove: ({ relays }) => relays[1]?.events.splice(0),
    fail: ({ relays }) => relays.forEach((relay) => Object.assign(relay, { behaviour: "gone" }))
  },
  bluesky: {
    subject: "bluesky:alice.kez.test",
    register: ({ bluesky, dns }) => {
      dns.txt.set("_atproto.alice.kez.test", [[`did=${did}`]])
      bluesky.documents.set(did, ["alice.kez.test"])
      bluesky.posts.set(did, [{ record: { text: "hello" } }])
    },
    // As the app does with a link that is pasted: it shows the beginning and links to the whole.
    publish: ({ bluesky }, { text }) =>
      bluesky.posts.set(did, [{ record: { text: `${text.slice(8, 36)}...`, facets: [linkTo(text)] } }]),
    remove: ({ bluesky }) => bluesky.posts.set(did, []),
    host: "public.api.bsky.app"
  },
  ap: {
    subject: "mastodon:@Alice@social.kez.test",
    register: ({ fediverse }) => fediverse.people.set("alice", person([])),
    publish: ({ fediverse }, { text }) =>
      fediverse.people.set("alice", person([`<p>my key:<br />${text.replaceAll("_", "&#95;")}</p>`])),
    remove: ({ fediverse }) => fediverse.people.set("alice", person([])),
    host: "social.kez.test"
  },
  did: {
    subject: "did:web:site.kez.test:people:alice",
    register: ({ https }) => serveDid(https, []),
    publish: ({ https }, { text }) => serveDid(https, ["https://site.kez.test/@alice", text]),
    remove: ({ https }) => serveDid(https, ["https://site.kez.test/@alice"]),
    host: "site.kez.test"
  }
}

for (const [system, channel] of Object.entries(channels)) proofFetcherKit(system, channel)
