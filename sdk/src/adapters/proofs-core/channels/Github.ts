/** `github:octocat`: a public gist with a file `kez.md`, then the README of the profile. */
import * as Effect from "effect/Effect"
import type { Channel, Tools } from "../Channel.ts"
import * as ProofText from "../ProofText.ts"
import * as Json from "../ProviderJson.ts"

/** The layout of GitHub's REST API (2022-11-28) and of its hosts for raw files. */
const layout = {
  file: "kez.md",
  gistsPerPage: 100,
  gistPages: 3,
  gists: (user: string, page: number) =>
    `https://api.github.com/users/${user}/gists?per_page=${layout.gistsPerPage}&page=${page}`,
  /** A gist's file, whose URL the API names. */
  rawGist: (user: string) =>
    new RegExp(`^https://gist\\.githubusercontent\\.com/${user}/[0-9a-f]+/raw/[0-9a-f]+/[^/?#]+$`, "i"),
  readme: (user: string) => `https://raw.githubusercontent.com/${user}/${user}/HEAD/README.md`
}

/** The URL of the newest file `kez.md` in the public gists of a user. */
const gistUrl = Effect.fnUntraced(function* ({ get }: Tools, user: string) {
  for (let number = 1; number <= layout.gistPages; number++) {
    const page = yield* get(layout.gists(user, number), { accept: "application/vnd.github+json" })
    if (page === undefined) return undefined
    const gists = yield* Json.expected(page, Json.array(yield* Json.parse(page)))
    for (const gist of gists) {
      if (Json.text(gist, "owner", "login")?.toLowerCase() !== user || Json.member(gist, "public") !== true) continue
      const files = Json.member(gist, "files")
      const name = Object.keys(files ?? {}).find((name) => name.toLowerCase() === layout.file)
      const url = name === undefined ? undefined : Json.text(files, name, "raw_url")
      if (url !== undefined && layout.rawGist(user).test(url)) return url
    }
    if (gists.length < layout.gistsPerPage) return undefined
  }
  return undefined
})

export const github: Channel = {
  recipe: "github/1",
  places: (user) => [
    {
      name: `gist ${layout.file} of ${user}`,
      read: Effect.fnUntraced(function* (tools) {
        const url = yield* gistUrl(tools, user)
        const page = url === undefined ? undefined : yield* tools.get(url)
        return { found: page === undefined ? [] : ProofText.found(page, ProofText.inFile(ProofText.textOf(page.body))) }
      })
    },
    {
      name: `README of github.com/${user}/${user}`,
      read: Effect.fnUntraced(function* ({ get }) {
        const page = yield* get(layout.readme(user))
        return { found: page === undefined ? [] : ProofText.found(page, ProofText.inText(ProofText.textOf(page.body))) }
      })
    }
  ],
  publication: (user, { markdown }) => ({
    steps: [
      `Sign in to GitHub as ${user} and open https://gist.github.com/.`,
      `Name the file ${layout.file} and paste the text below into it.`,
      'Choose "Create public gist": a secret one is not found.'
    ],
    text: markdown,
    where: `public gist ${layout.file} of ${user}`
  })
}
