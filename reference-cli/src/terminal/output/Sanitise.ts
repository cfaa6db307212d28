/**
 * Makes text of other people harmless for a terminal: it may contain escape sequences that repaint the screen, bidi
 * controls that reorder text, and invisible characters. Letters, emoji and line breaks are unchanged.
 */

// Harmless in themselves, but they make two texts look alike or reorder text: everything that Unicode formats with or
// lets a display ignore. Joiners and variation selectors stay, since emoji and several scripts need them, and so do the
// visible signs of this class.
const invisible =
  /(?!\u200C|\u200D|\uFE0E|\uFE0F|[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}])[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu
const bidi = /[\u202A-\u202E\u2066-\u2069]/g
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g
// A base character with many marks would cover the lines around it.
const tower = /(\p{M}{4})\p{M}+/gu

const picture = (character: string): string => {
  const code = character.charCodeAt(0)
  if (character === "\t") return "    "
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? "\u2421" : "\uFFFD"
}

/** Text of several lines. Control characters become their pictures (ESC is ␛), bidi controls their names. */
export const text = (input: string): string =>
  input
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replace(control, picture)
    .replace(bidi, (character) => `<U+${character.charCodeAt(0).toString(16).toUpperCase()}>`)
    .replace(invisible, "")
    .replace(tower, "$1")

/** Text on one line: a handle, a detail, an error. */
export const line = (input: string): string => text(input).replace(/\s*\n\s*/g, " ⏎ ")

// Escaped in JSON only, since programs read it too and joiners are for people.
const others = /[\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u206F]/g

const escaped = (characters: string): string =>
  Array.from(
    { length: characters.length },
    (_, at) => `\\u${characters.charCodeAt(at).toString(16).padStart(4, "0")}`
  ).join("")

/** JSON for standard output: the same value, with every character that a terminal might act on or hide escaped. */
export const json = (value: unknown): string =>
  [invisible, bidi, others].reduce((text, hidden) => text.replace(hidden, escaped), JSON.stringify(value))

const suspicious = /(?!\n)[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
// eslint-disable-next-line no-control-regex
const ours = /(\u001B\[[0-9;]*m|\t)/

/**
 * A last check of all output to a terminal: lines, tabs and our own colours pass, and nothing else that acts or hides.
 * Text of others is sanitised where it comes in; this catches what was forgotten.
 */
export const output = (lines: string): string =>
  suspicious.test(lines)
    ? lines
        .split(ours)
        .map((part, index) => (index % 2 === 1 ? part : text(part)))
        .join("")
    : lines
