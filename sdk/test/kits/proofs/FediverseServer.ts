/** An ActivityPub server with WebFinger, in the form of Mastodon's answers. */
import { type HttpsHosts, json, text } from "./HttpsHosts.ts"

export const fediverseHost = "social.kez.test"

export interface Person {
  /** As in `attachment`: name and HTML. */
  fields: ReadonlyArray<readonly [name: string, value: string]>
  summary: string
  /** HTML of posts, newest first. */
  posts: ReadonlyArray<string>
}

export interface FediverseServer {
  readonly people: Map<string, Person>
  /** Members that replace those of an actor. */
  readonly actorOverrides: Map<string, Readonly<Record<string, unknown>>>
  /** Members that replace those of a WebFinger answer. */
  readonly fingerOverrides: Map<string, Readonly<Record<string, unknown>>>
  /** A status by the beginning of a path. */
  readonly fails: Map<string, number>
}

const activityJson = "application/activity+json"

export const fediverseServer = ({ handlers }: HttpsHosts): FediverseServer => {
  const state: FediverseServer = {
    people: new Map(),
    actorOverrides: new Map(),
    fingerOverrides: new Map(),
    fails: new Map()
  }
  const base = `https://${fediverseHost}`
  handlers.set(fediverseHost, (request, response, url) => {
    for (const [path, status] of state.fails) {
      if (url.pathname.startsWith(path)) return json(response, { error: "not now" }, status)
    }
    if (url.pathname === "/.well-known/webfinger") {
      const resource = url.searchParams.get("resource") ?? ""
      const name = /^acct:([^@]+)@social\.kez\.test$/i.exec(resource)?.[1] ?? ""
      if (!state.people.has(name)) return text(response, "", 404)
      const jrd = {
        subject: `acct:${name}@${fediverseHost}`,
        aliases: [`${base}/@${name}`, `${base}/users/${name}`],
        links: [
          { rel: "http://webfinger.net/rel/profile-page", type: "text/html", href: `${base}/@${name}` },
          { rel: "self", type: activityJson, href: `${base}/users/${name}` },
          { rel: "http://ostatus.org/schema/1.0/subscribe", template: `${base}/authorize_interaction?uri={uri}` }
        ],
        ...state.fingerOverrides.get(name)
      }
      return json(response, jrd, 200, "application/jrd+json")
    }
    const [, name = "", part] = /^\/users\/([^/]+)(\/outbox)?$/.exec(url.pathname) ?? []
    const person = state.people.get(name)
    if (person === undefined) return json(response, { error: "Record not found" }, 404)
    if (!(request.headers.accept ?? "").includes(activityJson)) return text(response, "<html></html>")
    const id = `${base}/users/${name}`
    const context = "https://www.w3.org/ns/activitystreams"
    if (part === undefined) {
      const actor = {
        "@context": [context, { schema: "http://schema.org#", PropertyValue: "schema:PropertyValue" }],
        id,
        type: "Person",
        inbox: `${id}/inbox`,
        outbox: `${id}/outbox`,
        preferredUsername: name,
        name: "",
        summary: person.summary,
        url: `${base}/@${name}`,
        attachment: person.fields.map(([name, value]) => ({ type: "PropertyValue", name, value })),
        ...state.actorOverrides.get(name)
      }
      return json(response, actor, 200, activityJson)
    }
    if (!url.searchParams.has("page")) {
      const totalItems = person.posts.length
      const collection = { "@context": context, id: `${id}/outbox`, type: "OrderedCollection", totalItems }
      return json(response, { ...collection, first: `${id}/outbox?page=true` }, 200, activityJson)
    }
    const orderedItems = person.posts.map((content, n) => ({
      id: `${id}/statuses/${n}/activity`,
      type: "Create",
      actor: id,
      published: "2026-05-25T00:00:00Z",
      object: { id: `${id}/statuses/${n}`, type: "Note", attributedTo: id, content }
    }))
    const boost = { id: `${id}/statuses/x/activity`, type: "Announce", actor: id, object: "https://other.example/1" }
    const page = { "@context": context, id: `${id}/outbox?page=true`, type: "OrderedCollectionPage" }
    json(response, { ...page, partOf: `${id}/outbox`, orderedItems: [boost, ...orderedItems] }, 200, activityJson)
  })
  return state
}
