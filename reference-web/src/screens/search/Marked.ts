/** The words of a query in a text, as a search that ignores case and accents finds them. */

/** A text in which parts that were searched for are marked. */
export interface Part {
  readonly text: string
  readonly isHit: boolean
}

const fold = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase()

/** The folded text, and for each of its units the index of the character in the text that it came from. */
const foldWithOrigins = (text: string): { readonly folded: string; readonly origins: ReadonlyArray<number> } => {
  let folded = ""
  const origins: Array<number> = []
  let at = 0
  for (const character of text) {
    const piece = fold(character)
    folded += piece
    for (let unit = 0; unit < piece.length; unit += 1) origins.push(at)
    at += character.length
  }
  return { folded, origins }
}

const characterEnd = (text: string, index: number): number => {
  let end = index + String.fromCodePoint(text.codePointAt(index) ?? 0).length
  // Accents that follow belong to it.
  while (/^\p{M}/u.test(text.slice(end, end + 2))) end += String.fromCodePoint(text.codePointAt(end)!).length
  return end
}

/** Characters before the first hit that stay when a long text is cut. */
const leadCharacters = 40

/** A text of at most about `limit` characters around the first hit, split at the hits. */
export const marked = (text: string, query: string, limit: number): ReadonlyArray<Part> => {
  const words = fold(query)
    .split(/\s+/u)
    .filter((word) => word !== "")
  const { folded, origins } = foldWithOrigins(text)
  const hits: Array<readonly [number, number]> = []
  for (const word of words) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      hits.push([origins[at]!, characterEnd(text, origins[at + word.length - 1]!)])
    }
  }
  hits.sort(([one], [other]) => one - other)
  const first = hits[0]?.[0] ?? 0
  const from = text.length > limit && first > leadCharacters * 2 ? first - leadCharacters : 0
  const to = Math.min(text.length, from + limit)
  const parts: Array<Part> = []
  let at = from
  const plain = (end: number) => {
    if (end > at) parts.push({ text: text.slice(at, end), isHit: false })
    at = Math.max(at, end)
  }
  for (const [start, end] of hits) {
    if (end <= at || start >= to) continue
    const last = parts.at(-1)
    if (start <= at && last?.isHit === true)
      parts[parts.length - 1] = { text: last.text + text.slice(at, end), isHit: true }
    else {
      plain(Math.max(start, at))
      parts.push({ text: text.slice(at, end), isHit: true })
    }
    at = end
  }
  plain(to)
  if (from > 0) parts.unshift({ text: "…", isHit: false })
  if (to < text.length) parts.push({ text: "…", isHit: false })
  return parts
}
