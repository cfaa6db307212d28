/** Handles: `local@server`, a home server's name for a key. Stored and sent in full; `@chris` is short for display. */
import * as Result from "effect/Result"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

export interface Handle {
  /** 3 to 32 characters of `[a-z0-9_-]`, the first a letter or digit. */
  readonly local: string
  /** The home server's DNS name: lower case, A-labels, no trailing dot. */
  readonly server: string
  /** `local@server`. */
  readonly text: string
}

const localForm = new RegExp(`^[a-z0-9][a-z0-9_-]{${Limits.handleMin - 1},${Limits.handleMax - 1}}$`)
const label = `[a-z0-9](?:[a-z0-9-]{0,${Limits.serverLabelMax - 2}}[a-z0-9])?`
const serverForm = new RegExp(`^(?=.{1,${Limits.serverNameMax}}$)(?:${label}\\.)*${label}$`)

/** Whether a text can be the part before the `@`. */
export const isLocal = (text: string): boolean => localForm.test(text)

/** Whether a text is a DNS name as used in handles. IP addresses (a last label of digits) are not. */
export const isServerName = (text: string): boolean => serverForm.test(text) && !/(?:^|\.)[0-9]+$/.test(text)

/** Parses a full handle in its canonical spelling; anything else is `handle_malformed`. */
export const parse = (text: string): Result.Result<Handle, Problem> => {
  const at = text.indexOf("@")
  const local = text.slice(0, Math.max(at, 0))
  const server = text.slice(at + 1)
  if (at < 0) return fail("handle_malformed", "expected name@server")
  if (!isLocal(local)) {
    return fail(
      "handle_malformed",
      `a name has ${Limits.handleMin} to ${Limits.handleMax} characters of a-z, 0-9, _ and -, and starts with one of a-z or 0-9`
    )
  }
  if (isServerName(server)) return Result.succeed({ local, server, text })
  // oxlint-disable-next-line no-control-regex
  const ascii = /[^\x00-\x7f]/.test(server) ? URL.parse(`http://${server}`)?.hostname : undefined
  const hint = ascii === undefined || !isServerName(ascii) ? "" : `; in A-labels it is ${ascii}`
  return fail("handle_malformed", `the part after the @ is not a DNS name in lower case${hint}`)
}

/**
 * Parses user input: `chris`, `@chris`, `chris@kez.lat` or `@chris@kez.lat`, in any case, the server also as U-labels.
 * A name alone belongs to `defaultServer`. Anything else is `handle_malformed`.
 */
export const parseMention = (text: string, defaultServer: string): Result.Result<Handle, Problem> => {
  const mention = text.trim().replace(/^@/, "")
  const at = mention.indexOf("@")
  if (at < 0) return parse(`${mention.toLowerCase()}@${defaultServer}`)
  const server = mention.slice(at + 1)
  // Only pass a host to the URL parser: it would silently drop a port or path.
  const ascii = /[:/?#@\\%[\]\s]/.test(server) ? undefined : URL.parse(`http://${server}`)?.hostname
  return parse(`${mention.slice(0, at).toLowerCase()}@${ascii ?? server}`)
}
