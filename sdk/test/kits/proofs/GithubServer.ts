/** GitHub's REST API for gists and its hosts of raw files, as documented for version 2022-11-28. */
import { createHash } from "node:crypto"
import { type HttpsHosts, json, text } from "./HttpsHosts.ts"

export interface Gist {
  readonly owner: string
  readonly isPublic?: boolean
  readonly files: Readonly<Record<string, string>>
}

export interface GithubServer {
  /** Newest first, as the API lists them. */
  readonly gists: Array<Gist>
  readonly users: Set<string>
  /** README of a profile by user. */
  readonly readmes: Map<string, string>
  /** Requests to the API that are left, and when there are more, in seconds since the epoch. */
  readonly limit: { remaining: number; reset: number }
  /** A status for every answer. */
  fails: number | undefined
}

export const githubHosts = ["api.github.com", "gist.githubusercontent.com", "raw.githubusercontent.com"] as const

const hex = (value: string) => createHash("sha1").update(value).digest("hex")

export const githubServer = ({ handlers }: HttpsHosts): GithubServer => {
  const state: GithubServer = {
    gists: [],
    users: new Set(),
    readmes: new Map(),
    limit: { remaining: 60, reset: Math.floor(Date.now() / 1000) + 3_600 },
    fails: undefined
  }
  const idOf = (gist: Gist) => hex(`${gist.owner} ${Object.keys(gist.files).join(" ")}`).slice(0, 32)
  const rawUrl = (gist: Gist, name: string) =>
    `https://gist.githubusercontent.com/${gist.owner}/${idOf(gist)}/raw/${hex(gist.files[name] ?? "")}/${encodeURIComponent(name)}`
  handlers.set("api.github.com", (request, response, url) => {
    const { limit } = state
    const exhausted = limit.remaining <= 0
    if (!exhausted) limit.remaining -= 1
    response.setHeader("x-ratelimit-limit", "60")
    response.setHeader("x-ratelimit-remaining", String(limit.remaining))
    response.setHeader("x-ratelimit-reset", String(limit.reset))
    response.setHeader("x-ratelimit-resource", "core")
    response.setHeader("access-control-allow-origin", "*")
    const documentation = "https://docs.github.com/rest"
    if (state.fails !== undefined) return json(response, { message: "Server Error" }, state.fails)
    if (request.headers["user-agent"] === undefined) return json(response, { message: "no user agent" }, 403)
    if (exhausted) return json(response, { message: "API rate limit exceeded", documentation_url: documentation }, 403)
    const user = /^\/users\/([^/]+)\/gists$/.exec(url.pathname)?.[1]?.toLowerCase()
    if (user === undefined || ![...state.users].some((name) => name.toLowerCase() === user)) {
      return json(response, { message: "Not Found", documentation_url: documentation, status: "404" }, 404)
    }
    const perPage = Number(url.searchParams.get("per_page") ?? 30)
    const from = (Number(url.searchParams.get("page") ?? 1) - 1) * perPage
    const listed = state.gists.filter((gist) => gist.owner.toLowerCase() === user && gist.isPublic !== false)
    json(
      response,
      listed.slice(from, from + perPage).map((gist) => ({
        url: `https://api.github.com/gists/${idOf(gist)}`,
        id: idOf(gist),
        html_url: `https://gist.github.com/${gist.owner}/${idOf(gist)}`,
        files: Object.fromEntries(
          Object.entries(gist.files).map(([filename, content]) => [
            filename,
            {
              filename,
              type: "text/markdown",
              language: "Markdown",
              raw_url: rawUrl(gist, filename),
              size: content.length
            }
          ])
        ),
        public: true,
        created_at: "2026-05-25T00:00:00Z",
        updated_at: "2026-05-25T00:00:00Z",
        description: null,
        comments: 0,
        owner: { login: gist.owner, id: 583231, type: "User", site_admin: false },
        truncated: false
      })),
      200,
      "application/json"
    )
  })
  handlers.set("gist.githubusercontent.com", (_, response, url) => {
    for (const gist of state.gists) {
      const name = Object.keys(gist.files).find((name) => rawUrl(gist, name) === `https://${url.host}${url.pathname}`)
      if (name !== undefined) return text(response, gist.files[name] ?? "")
    }
    text(response, "404: Not Found", 404)
  })
  handlers.set("raw.githubusercontent.com", (_, response, url) => {
    const [, user, repository, head, file] = url.pathname.split("/")
    const readme =
      user === repository && head === "HEAD" && file === "README.md" ? state.readmes.get(user ?? "") : undefined
    if (readme === undefined) text(response, "404: Not Found", 404)
    else text(response, readme)
  })
  return state
}
