/**
 * Text from other people, made harmless for a terminal: it may hold escape sequences that repaint the screen, bidi
 * controls that reorder what is read, and invisible characters. Letters, emoji and line breaks stay as they are.
 */

// Harmless in themselves, but they make two texts look alike: soft hyphen, grapheme joiner, blank fillers, zero-width
// space, direction marks, invisible operators, byte order mark, interlinear annotation. Zero-width joiners stay: emoji
// and several scripts are written with them.
const invisible =
  /\u034F|[\u00AD\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F\u2060-\u2064\u206A-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]/g
const bidi = /[\u202A-\u202E\u2066-\u2069]/g
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g
// A base character with a tower of marks covers the lines around it.
const tower = /(\p{M}{4})\p{M}+/gu
const tags = /[\u{E0000}-\u{E007F}]+/gu

const picture = (character: string): string => {
  const code = character.charCodeAt(0)
  if (character === "\t") return "    "
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? "\u2421" : "\uFFFD"
}

/** Text that may have several lines. Control characters become their pictures (ESC is ␛), bidi controls their names. */
export const text = (input: string): string =>
  input
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replace(control, picture)
    .replace(bidi, (character) => `<U+${character.charCodeAt(0).toString(16).toUpperCase()}>`)
    .replace(invisible, "")
    .replace(tags, "")
    .replace(tower, "$1")

/** Text for one line: a handle, a detail, an error. */
export const line = (input: string): string => text(input).replace(/\s*\n\s*/g, " ⏎ ")

// Seen in JSON alone: it is read by programs too, and joiners are for people.
const others = /[\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u206F]/g

const escaped = (characters: string): string =>
  Array.from(
    { length: characters.length },
    (_, at) => `\\u${characters.charCodeAt(at).toString(16).padStart(4, "0")}`
  ).join("")

/**
 * JSON for standard output: the same value, with every character that a terminal might act on or hide written as an
 * escape.
 */
export const json = (value: unknown): string =>
  [invisible, bidi, tags, others].reduce((text, hidden) => text.replace(hidden, escaped), JSON.stringify(value))
