/** `bluesky:alice.example`: the account that the handle and its DID name both ways, and its posts. */
import * as Effect from "effect/Effect"
import { type Channel, type Tools, Unreachable } from "../Channel.ts"
import * as DidDocument from "../DidDocument.ts"
import * as ProofText from "../ProofText.ts"
import * as Json from "../ProviderJson.ts"

/** AT Protocol's handle resolution and lexicons of 2024. */
const layout = {
  record: (handle: string) => `_atproto.${handle}`,
  wellKnown: (handle: string) => `https://${handle}/.well-known/atproto-did`,
  resolve: (xrpc: string, handle: string) => `${xrpc}/xrpc/com.atproto.identity.resolveHandle?handle=${handle}`,
  posts: 50,
  feed: (xrpc: string, did: string) =>
    `${xrpc}/xrpc/app.bsky.feed.getAuthorFeed?actor=${encodeURIComponent(did)}` +
    `&filter=posts_and_author_threads&includePins=true&limit=${layout.posts}`
}

const didForm = /^did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]{1,253})$/

const asDid = (text: string | undefined): string | undefined =>
  text !== undefined && didForm.test(text) ? text : undefined

/**
 * The DID in the handle's TXT record; empty for several different ones, which settles that there is none (AT Protocol,
 * Handle resolution). Undefined without a record.
 */
const byDns = Effect.fnUntraced(function* ({ txt }: Tools, handle: string) {
  const { records } = yield* txt(layout.record(handle))
  const named = new Set(records.map((strings) => strings.join("")).filter((text) => text.startsWith("did=")))
  const [first] = named
  return named.size > 1 ? "" : asDid(first?.slice("did=".length))
})

/** The DID at the handle's own host, which a browser leaves to the public server. */
const byHttps = Effect.fnUntraced(function* ({ get, isBrowser, xrpc }: Tools, handle: string) {
  if (isBrowser) {
    const page = yield* get(layout.resolve(yield* xrpc, handle), { absent: [400, 404] })
    if (page === undefined) return undefined
    return asDid(yield* Json.expected(page, Json.text(yield* Json.parse(page), "did")))
  }
  const page = yield* get(layout.wellKnown(handle))
  return page === undefined ? undefined : asDid(ProofText.textOf(page.body).trim())
})

/** The handle's DID; undefined if both methods answer that there is none. */
const didOf = Effect.fnUntraced(function* (tools: Tools, handle: string) {
  const inDns = yield* byDns(tools, handle).pipe(Effect.catch((error) => Effect.succeed(error)))
  if (typeof inDns === "string") return asDid(inDns)
  const did = yield* byHttps(tools, handle)
  if (did === undefined && inDns instanceof Unreachable) return yield* inDns
  return did
})

/** Texts of a post, among them link targets, which the apps shorten where they show them. */
const textsOf = (record: Json.Value): ReadonlyArray<string> => {
  const facets = Json.list(record, "facets").flatMap((facet) => Json.list(facet, "features"))
  const embeds = [Json.member(record, "embed"), Json.member(Json.member(record, "embed"), "media")]
  const texts = [
    Json.text(record, "text"),
    ...facets.map((feature) => Json.text(feature, "uri")),
    ...embeds.map((embed) => Json.text(embed, "external", "uri")),
    ...embeds.flatMap((embed) => Json.list(embed, "images").map((image) => Json.text(image, "alt")))
  ]
  return texts.flatMap((text) => ProofText.inText(text ?? ""))
}

export const bluesky: Channel = {
  recipe: "bluesky/1",
  places: (handle) => [
    {
      name: `posts of ${handle} on Bluesky`,
      read: Effect.fnUntraced(function* (tools) {
        const did = yield* didOf(tools, handle)
        const document = did === undefined ? undefined : yield* DidDocument.fetch(tools, did)
        if (did === undefined || document === undefined) return { found: [] }
        const named = document.alsoKnownAs.find((uri) => uri.startsWith("at://"))
        if (named?.toLowerCase() !== `at://${handle}`) return { found: [] }
        const page = yield* tools.get(layout.feed(yield* tools.xrpc, did))
        if (page === undefined) return { found: [] }
        const items = yield* Json.expected(page, Json.array(Json.member(yield* Json.parse(page), "feed")))
        const posts = items.map((item) => Json.member(item, "post"))
        // Reposts are among them.
        const own = posts.filter((post) => Json.text(post, "author", "did") === did)
        const texts = own.flatMap((post) => textsOf(Json.member(post, "record")))
        return { found: ProofText.found(page, texts) }
      })
    }
  ],
  publication: (handle, { compact }) => ({
    steps: [
      `Sign in to Bluesky as ${handle}.`,
      "Paste the link below into a new post. The app shortens what it shows of it, and keeps it whole.",
      `Pin the post to your profile: otherwise it counts only while it is among your last ${layout.posts}.`
    ],
    // The proof is longer than a post may be, a link is not: this one leads to the profile itself.
    text: `https://bsky.app/profile/${handle}#${compact}`,
    where: `post of ${handle} on Bluesky`
  })
}
