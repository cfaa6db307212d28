/** Bluesky's public XRPC, the PLC directory and hosts of handles, as the AT Protocol documents them. */
import { type HttpsHosts, json, text } from "./HttpsHosts.ts"

export const blueskyHosts = ["public.api.bsky.app", "plc.directory"] as const

export interface Post {
  /** DID of who wrote it, where the feed's owner only reposted it. */
  readonly repostOf?: string
  readonly record: Readonly<Record<string, unknown>>
}

export interface BlueskyServer {
  /** Handles by DID, in the order of their documents. */
  readonly documents: Map<string, ReadonlyArray<string>>
  /** DID by handle, as hosts of handles and the public server say. */
  readonly handles: Map<string, string>
  /** Newest first, by DID. */
  readonly posts: Map<string, ReadonlyArray<Post>>
  fails: number | undefined
}

export const blueskyServer = ({ handlers }: HttpsHosts): BlueskyServer => {
  const state: BlueskyServer = { documents: new Map(), handles: new Map(), posts: new Map(), fails: undefined }
  handlers.set("plc.directory", (_, response, url) => {
    const did = decodeURIComponent(url.pathname.slice(1))
    const handles = state.documents.get(did)
    if (handles === undefined) return json(response, { message: `DID not registered: ${did}` }, 404)
    json(
      response,
      {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        id: did,
        alsoKnownAs: handles.map((handle) => `at://${handle}`),
        verificationMethod: [{ id: `${did}#atproto`, type: "Multikey", controller: did, publicKeyMultibase: "zQ3sh" }],
        service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: "https://pds.kez.test" }]
      },
      200,
      "application/did+ld+json"
    )
  })
  handlers.set("public.api.bsky.app", (_, response, url) => {
    response.setHeader("access-control-allow-origin", "*")
    if (state.fails !== undefined) return json(response, { error: "InternalServerError" }, state.fails)
    if (url.pathname === "/xrpc/com.atproto.identity.resolveHandle") {
      const did = state.handles.get(url.searchParams.get("handle") ?? "")
      if (did === undefined) {
        return json(response, { error: "InvalidRequest", message: "Unable to resolve handle" }, 400)
      }
      return json(response, { did })
    }
    if (url.pathname !== "/xrpc/app.bsky.feed.getAuthorFeed")
      return json(response, { error: "MethodNotImplemented" }, 501)
    const actor = url.searchParams.get("actor") ?? ""
    const posts = state.posts.get(actor)
    if (posts === undefined) return json(response, { error: "InvalidRequest", message: "Profile not found" }, 400)
    json(response, {
      feed: posts.slice(0, Number(url.searchParams.get("limit") ?? 50)).map(({ record, repostOf }, n) => {
        const did = repostOf ?? actor
        return {
          post: {
            uri: `at://${did}/app.bsky.feed.post/3l${n}`,
            cid: "bafyreib2rxk3rh6kzwq",
            author: { did, handle: state.documents.get(did)?.[0] ?? "handle.invalid", displayName: "", labels: [] },
            record: { $type: "app.bsky.feed.post", createdAt: "2026-05-25T00:00:00.000Z", langs: ["en"], ...record },
            replyCount: 0,
            repostCount: 0,
            likeCount: 0,
            indexedAt: "2026-05-25T00:00:00.000Z",
            labels: []
          },
          ...(repostOf === undefined ? {} : { reason: { $type: "app.bsky.feed.defs#reasonRepost" } })
        }
      })
    })
  })
  return state
}

/** Serves a handle's own `atproto-did`. */
export const serveHandle = ({ handlers }: HttpsHosts, { handles }: BlueskyServer, host: string): void => {
  handlers.set(host, (_, response, url) => {
    const did = url.pathname === "/.well-known/atproto-did" ? handles.get(host) : undefined
    if (did === undefined) text(response, "not found", 404)
    else text(response, did)
  })
}
