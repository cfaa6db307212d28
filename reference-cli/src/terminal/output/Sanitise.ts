/**
 * Text from other people, made harmless for a terminal: it may hold escape sequences that repaint the screen, bidi
 * controls that reorder what is read, and invisible characters. Letters, emoji and line breaks stay as they are.
 */

// Harmless in themselves, but they make two texts look alike or reorder what is read: whatever Unicode formats with or
// lets a display ignore. Joiners and variation selectors stay, since emoji and several scripts are written with them, and
// so do the signs of this class that are seen.
const invisible =
  /(?!\u200C|\u200D|\uFE0E|\uFE0F|[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}])[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu
const bidi = /[\u202A-\u202E\u2066-\u2069]/g
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/g
// A base character with a tower of marks covers the lines around it.
const tower = /(\p{M}{4})\p{M}+/gu

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
  [invisible, bidi, others].reduce((text, hidden) => text.replace(hidden, escaped), JSON.stringify(value))

const suspicious = /(?!\n)[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
// eslint-disable-next-line no-control-regex
const ours = /(\u001B\[[0-9;]*m|\t)/

/**
 * What goes to a terminal, as a last look at all of it: lines, tabs and colours of our own pass, and nothing else that acts or
 * hides. Text of others was made harmless where it came in; this holds also where that was forgotten.
 */
export const output = (lines: string): string =>
  suspicious.test(lines)
    ? lines
        .split(ours)
        .map((part, index) => (index % 2 === 1 ? part : text(part)))
        .join("")
    : lines
