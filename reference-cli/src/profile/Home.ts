/** Finds the home server's URL: the flag, `KEZ_HOME`, the profile, `.kez/run.json` in a parent folder, `https://<server>`. */
import { AddressClass, Handle } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { type CliFailure, fail, usage } from "../Failure.ts"
import { settings } from "../Flags.ts"
import { Host } from "../Host.ts"
import * as PrivateFile from "./PrivateFile.ts"

export interface Home {
  /** Origin of the home server, without a trailing slash. */
  readonly url: string
  /** Where the URL came from, in words. */
  readonly source: string
}

/** The origin of a home's URL, or the rule it breaks. Plain http is accepted for this machine only. */
export const normalise = (text: string): { readonly url: string } | { readonly problem: string } => {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`)
  if (url === null || url.hostname === "") return { problem: "it is not a URL" }
  if (url.protocol !== "https:" && url.protocol !== "http:") return { problem: "it must begin with https://" }
  if (url.username !== "" || url.password !== "") return { problem: "it must not hold a name or password" }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    return { problem: "it must be an origin, without a path" }
  if (url.protocol === "http:" && !AddressClass.isLoopback(url.hostname)) {
    return { problem: "plain http is accepted only for a server on this machine" }
  }
  return { url: url.origin }
}

/** The home started by `npm start`, if this folder or one above it holds its run file. */
const localHome = (from: string): { readonly text: string; readonly file: string } | undefined => {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, ".kez", "run.json")
    try {
      const found = PrivateFile.read(file, 65_536)
      const url: unknown = found === undefined ? undefined : JSON.parse(found)?.urls?.home
      if (typeof url === "string") return { text: url, file }
    } catch {
      // A run file that cannot be read is ignored.
    }
    if (path.dirname(folder) === folder) return undefined
  }
}

/**
 * Homes of other people that are not at `https://<server>`, as in a LAN: `KEZ_HOMES`, pairs `server=URL` between commas.
 */
export const others = Effect.gen(function* (): Effect.fn.Return<Readonly<Record<string, string>>, CliFailure, Host> {
  const { env } = yield* Host
  const urls: Record<string, string> = Object.create(null)
  for (const pair of (env["KEZ_HOMES"] ?? "").split(",").map((text) => text.trim())) {
    if (pair === "") continue
    const at = pair.indexOf("=")
    const server = pair.slice(0, Math.max(at, 0))
    const home = normalise(pair.slice(at + 1))
    if (!Handle.isServerName(server)) {
      return yield* usage(`KEZ_HOMES takes server=URL between commas, not ${JSON.stringify(pair)}`)
    }
    if ("problem" in home) return yield* usage(`the home of ${server} (from KEZ_HOMES) cannot be used: ${home.problem}`)
    urls[server] = home.url
  }
  return urls
})

/** The home to use. `profile` is the URL in an existing profile, `server` the part of a handle after the `@`. */
export const discover = Effect.fn("Home.discover")(function* (known: {
  readonly profile?: string | undefined
  readonly server?: string | undefined
}): Effect.fn.Return<Home, CliFailure, Host> {
  const { env, cwd } = yield* Host
  const flag = (yield* settings).home
  const run = yield* Effect.sync(() => localHome(cwd))
  const candidates: ReadonlyArray<readonly [text: string | undefined, source: string]> = [
    [flag, "--home"],
    [env["KEZ_HOME"] || undefined, "KEZ_HOME"],
    [known.profile, "the profile"],
    [run?.text, run?.file ?? ""],
    [known.server === undefined ? undefined : `https://${known.server}`, "the handle"]
  ]
  const found = candidates.find(([text]) => text !== undefined)
  if (found === undefined) {
    return yield* fail(
      "home_unknown",
      "usage",
      "no home server is known: say --home URL or a full handle (name@server), or start a local home with `npm start`"
    )
  }
  const [text = "", source] = found
  const home = normalise(text)
  if ("problem" in home)
    return yield* usage(`the home server ${JSON.stringify(text)} (from ${source}) cannot be used: ${home.problem}`)
  return { url: home.url, source }
})
