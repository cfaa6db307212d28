/** The text of HTML that a stranger wrote. It is only searched for proofs: what it returns is never shown as HTML. */
import * as Limits from "../../protocol/Limits.ts"

const breaks = new Set(["p", "br", "div", "li", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "tr"])

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " }

const decodeEntities = (text: string): string =>
  text.replaceAll(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name: string) => {
    if (name !== undefined) return entities[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ""
  })

/** Where a tag that begins at `start` ends, quoted attributes considered; -1 if it does not. */
const endOfTag = (html: string, start: number): number => {
  for (let at = start; at < html.length; at++) {
    const character = html[at]
    if (character === ">") return at
    if (character !== '"' && character !== "'") continue
    at = html.indexOf(character, at + 1)
    if (at < 0) return -1
  }
  return -1
}

export interface HtmlText {
  readonly text: string
  /** The targets of its links, which may say more than the text that is shown for them. */
  readonly links: ReadonlyArray<string>
}

/** Every character is visited once. HTML of more than {@link Limits.proofTextCharacters} counts as empty. */
export const read = (html: string): HtmlText => {
  const links: Array<string> = []
  if (html.length > Limits.proofTextCharacters) return { text: "", links }
  let text = ""
  let at = 0
  while (at < html.length) {
    const open = html.indexOf("<", at)
    if (open < 0) break
    text += html.slice(at, open)
    const isComment = html.startsWith("<!--", open)
    const close = isComment ? html.indexOf("-->", open + 4) : endOfTag(html, open + 1)
    if (close < 0) {
      at = open
      break
    }
    if (!isComment) {
      const tag = html.slice(open + 1, close)
      const name = /^\/?([a-zA-Z][a-zA-Z0-9]*)/.exec(tag.slice(0, 16))?.[1]?.toLowerCase()
      if (name === undefined) text += html.slice(open, close + 1)
      else if (breaks.has(name)) text += "\n"
      const href = name === "a" ? /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag) : null
      if (href !== null) links.push(decodeEntities(href[1] ?? href[2] ?? ""))
    }
    at = close + (isComment ? 3 : 1)
  }
  return { text: decodeEntities(text + html.slice(at)), links }
}
