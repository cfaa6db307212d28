/** The rule of the local part of a handle, in the order in which a person meets it. */
export type HandleProblem =
  | { readonly reason: "short" | "long" | "start" }
  | { readonly reason: "character"; readonly found: string }

const min = 3
const max = 32

/** What keeps `local` from being a name; undefined if nothing does. */
export const handleProblem = (local: string): HandleProblem | undefined => {
  const strange = /[^a-z0-9_-]/u.exec(local)
  if (strange !== null) return { reason: "character", found: strange[0] }
  if (/^[_-]/.test(local)) return { reason: "start" }
  if (local.length < min) return { reason: "short" }
  if (local.length > max) return { reason: "long" }
  return undefined
}

/** What a person means who types or pastes `@Chris` or `chris@kez.lat`. */
export const typedName = (text: string, server: string): string => {
  const name = text.trim().toLowerCase().replace(/^@/, "")
  return name.endsWith(`@${server}`) ? name.slice(0, -server.length - 1) : name
}

/** Names to try when `local` is taken. */
export const similarNames = (local: string): ReadonlyArray<string> =>
  [`${local}-1`, `the-${local}`, `${local}_${new Date().getFullYear() % 100}`].filter(
    (name) => handleProblem(name) === undefined
  )
