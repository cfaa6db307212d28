/** What a message's text is made of: plain text, links and names of contacts. */
export type Token =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "link"; readonly text: string }
  | { readonly kind: "mention"; readonly text: string; readonly name: string }

// A link ends at white space, quotes, brackets < and >, control characters and bidirectional controls, which could make
// its end look like its beginning. A name follows nothing that could be part of an address.
const pattern = new RegExp(
  String.raw`(?<link>https?:\/\/[^\s<>"\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+)` +
    String.raw`|(?<![\p{L}\p{N}_@./-])@(?<name>[a-z0-9][a-z0-9_-]{2,31}(?:@[a-z0-9.-]{0,252}[a-z0-9])?)(?![a-z0-9_@])`,
  "giu"
)

const closers: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" }

const count = (text: string, character: string): number => text.split(character).length - 1

/** A link without the punctuation that belongs to the sentence around it; a bracket stays if it was opened inside. */
const trimLink = (link: string): string => {
  const unopened = new Map(
    Object.entries(closers).map(([closer, opener]) => [closer, count(link, closer) - count(link, opener)])
  )
  let end = link.length
  while (end > 0) {
    const last = link.charAt(end - 1)
    const excess = unopened.get(last)
    if (excess === undefined ? !/[.,;:!?'’”»…]/u.test(last) : excess <= 0) break
    if (excess !== undefined) unopened.set(last, excess - 1)
    end -= 1
  }
  return link.slice(0, end)
}

const isLink = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === "https:" || url.protocol === "http:") && url.hostname !== ""
}

/** Overrides make a text look like another one, `exe.pdf` for a name that ends in `fdp.exe`; no script needs them. */
const plain = (text: string): Token => ({ kind: "text", text: text.replace(/[\u202d\u202e]/g, "") })

/**
 * Splits a text. Only `http://` and `https://` make a link: a bare domain is text, since guessing would send people to
 * places that nobody named.
 */
export const tokens = (text: string): ReadonlyArray<Token> => {
  const found: Array<Token> = []
  let at = 0
  for (const match of text.matchAll(pattern)) {
    const { link, name } = match.groups ?? {}
    const shown = link === undefined ? match[0] : trimLink(link)
    if (link !== undefined && !isLink(shown)) continue
    if (match.index > at) found.push(plain(text.slice(at, match.index)))
    found.push(
      name === undefined ? { kind: "link", text: shown } : { kind: "mention", text: shown, name: name.toLowerCase() }
    )
    at = match.index + shown.length
  }
  if (at < text.length) found.push(plain(text.slice(at)))
  return found
}

/** Most emoji that are shown large when they stand alone. */
const largeEmoji = 3

const emoji = new RegExp(String.raw`^(?:\p{RGI_Emoji}\s*){1,${largeEmoji}}$`, "v")

/** Whether a text is nothing but a few emoji. */
export const isEmojiOnly = (text: string): boolean => text.length <= 64 && emoji.test(text)
