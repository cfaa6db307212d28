/** `ap:alice@social.example`: fields, summary and posts of the actor that WebFinger names (RFC 7033, ActivityPub). */
import * as Effect from "effect/Effect"
import { type Channel, type Page, type Tools, Unreachable } from "../Channel.ts"
import * as HtmlText from "../HtmlText.ts"
import * as ProofText from "../ProofText.ts"
import * as Json from "../ProviderJson.ts"

const accept = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
const isActivity = (type: string | undefined): boolean =>
  type === "application/activity+json" || (type?.startsWith("application/ld+json") ?? false)

const webFingerOf = (account: string, host: string): string =>
  `https://${host}/.well-known/webfinger?resource=${encodeURIComponent(`acct:${account}`)}`

interface Actor {
  readonly id: string
  readonly page: Page
  readonly json: Json.Value
}

const strange = (detail: string) => new Unreachable({ reason: "network", detail })

/** The actor of an account; undefined if the account does not exist. */
const actorOf = Effect.fnUntraced(function* ({ get }: Tools, account: string) {
  const [name, host] = account.split("@") as [string, string]
  const finger = yield* get(webFingerOf(account, host), { accept: "application/jrd+json, application/json" })
  if (finger === undefined) return undefined
  const jrd = yield* Json.parse(finger)
  const subject = yield* Json.expected(finger, Json.text(jrd, "subject"))
  if (subject.toLowerCase() !== `acct:${account}`) return undefined
  const links = Json.list(jrd, "links")
  const self = links.find((link) => Json.text(link, "rel") === "self" && isActivity(Json.text(link, "type")))
  const id = Json.text(self, "href")
  if (id === undefined) return yield* strange(`${host} names no actor for ${account}`)
  const page = yield* get(id, { accept })
  if (page === undefined) return undefined
  const json = yield* Json.parse(page)
  // An actor speaks for itself at its own URL, under its own name.
  const own = yield* Json.expected(page, Json.text(json, "id"))
  const username = yield* Json.expected(page, Json.text(json, "preferredUsername"))
  if (own !== id || username.toLowerCase() !== name) return undefined
  return { id, page, json } satisfies Actor
})

/** Candidates in HTML: in its text, then in the targets of its links. */
const inHtml = (html: string | undefined): ReadonlyArray<string> => {
  const { links, text } = HtmlText.read(html ?? "")
  return [text, ...links].flatMap(ProofText.inText)
}

/** The posts of a collection or a page of it. */
const itemsOf = (page: Page, json: Json.Value) =>
  Effect.as(
    Json.expected(page, Json.member(json, "orderedItems") ?? (Json.member(json, "totalItems") === 0 ? [] : undefined)),
    Json.list(json, "orderedItems")
  )

const hostOf = (url: string): string | undefined => URL.parse(url)?.host

/** The first page of the actor's outbox, on the actor's own host. */
const outbox = Effect.fnUntraced(function* ({ get }: Tools, { id, json }: Actor) {
  const url = Json.text(json, "outbox")
  if (url === undefined || hostOf(url) !== hostOf(id)) return undefined
  const page = yield* get(url, { accept })
  if (page === undefined) return undefined
  const collection = yield* Json.parse(page)
  const first = Json.member(collection, "first")
  if (typeof first !== "string") return { page, items: yield* itemsOf(page, first ?? collection) }
  if (hostOf(first) !== hostOf(id)) return undefined
  const firstPage = yield* get(first, { accept })
  if (firstPage === undefined) return undefined
  return { page: firstPage, items: yield* itemsOf(firstPage, yield* Json.parse(firstPage)) }
})

export const activityPub: Channel = {
  recipe: "ap/1",
  places: (account) => [
    {
      name: `profile and posts of ${account}`,
      read: Effect.fnUntraced(function* (tools) {
        const actor = yield* actorOf(tools, account)
        if (actor === undefined) return { found: [] }
        const { id, json, page } = actor
        const fields = Json.list(json, "attachment").map((field) => Json.text(field, "value"))
        const profile = [...fields, Json.text(json, "summary")].flatMap(inHtml)
        const found = ProofText.found(page, profile)
        return yield* outbox(tools, actor).pipe(
          Effect.map((posts) => {
            if (posts === undefined) return { found }
            const contents = posts.items.flatMap((item) => {
              const note = Json.text(item, "type") === "Create" ? Json.member(item, "object") : item
              return Json.text(note, "attributedTo") === id ? inHtml(Json.text(note, "content")) : []
            })
            return { found: [...found, ...ProofText.found(posts.page, contents)] }
          }),
          Effect.catch((missed) => Effect.succeed({ found, missed }))
        )
      })
    }
  ],
  publication: (account, { compact }) => ({
    steps: [
      `Sign in as ${account}.`,
      "Put the text below into the bio or, if they are long enough, one of the profile's fields; or publish it as a public post.",
      "A post counts while it is on the first page of your posts."
    ],
    text: compact,
    where: `profile or a public post of ${account}`
  })
}
