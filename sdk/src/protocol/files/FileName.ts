/** File names from strangers: saved inside their folder on every system, displayed without disguise (spec: files). */

/** Maximum UTF-8 bytes of a name on all common file systems. */
export const maxBytes = 255
/** Parts of a path within a shared folder. */
export const maxDepth = 16

/**
 * The form of a name on the wire: 1 to 255 characters without separators and control characters, and no dot name.
 * Passing it does not make a name fit for saving; use {@link safe}.
 */
// oxlint-disable-next-line no-control-regex
export const bare: RegExp = /^(?!\.{1,2}$)[^/\\\u0000-\u001f\u007f]{1,255}$/u

/** The replacement for a name without any usable characters. */
const unnamed = "unnamed"

// C0, DEL and C1; zero-width, bidirectional and other format characters; line and paragraph separators; private use,
// unassigned and lone surrogates; the replacement character stays.
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]/gu
// Separators of POSIX, Windows and classic Mac OS, and other characters forbidden on Windows.
const forbidden = /[/\\:*?"<>|]/g
// Device names of Windows, with or without an extension.
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00B9\u00B2\u00B3]|lpt[0-9\u00B9\u00B2\u00B3]) *(?=\.|$)/i

const encoder = new TextEncoder()

/** The longest prefix of a text that has at most `max` UTF-8 bytes and splits no character. */
const cut = (text: string, max: number): string => {
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += encoder.encode(character).length
    if (bytes > max) break
    end += character.length
  }
  return text.slice(0, end)
}

/** Shortens a name but keeps its extension (of at most 16 bytes), which identifies the file type. */
const shorten = (name: string): string => {
  if (encoder.encode(name).length <= maxBytes) return name
  const extension = /\.[^.]{1,16}$/u.exec(name)?.[0] ?? ""
  const kept = encoder.encode(extension).length <= 17 ? extension : ""
  return cut(name.slice(0, name.length - kept.length), maxBytes - encoder.encode(kept).length) + kept
}

// Collapses white space to single spaces, trims it, and removes dots at both ends.
const trimmed = (text: string): string =>
  text
    .replaceAll(/\s+/gu, " ")
    .replace(/^[. ]+/u, "")
    .replace(/[. ]+$/u, "")

/**
 * The name under which a received file may be saved: one path part of 1 to 255 UTF-8 bytes in NFC, without separators,
 * control, bidirectional and other invisible characters, not hidden, not a Windows device, and not readable as a
 * command-line option (`rm *`). Never fails, and leaves a harmless name unchanged.
 */
export const safe = (received: string): string => {
  // Cuts huge names before normalising, which is expensive; only the beginning and the end can matter.
  const bounded = received.length > 4096 ? received.slice(0, 2048) + received.slice(-2048) : received
  const cleaned = bounded.normalize("NFC").replaceAll(/\s/gu, " ").replaceAll(invisible, "").replaceAll(forbidden, "_")
  const name = trimmed(shorten(trimmed(cleaned)))
  if (name === "") return unnamed
  return name.startsWith("-") || device.test(name) ? trimmed(shorten(`_${name}`)) : name
}

/** An alternative for a name that is taken: `report (2).pdf` for `report.pdf` and 2. A safe name stays safe. */
export const numbered = (name: string, number: number): string => {
  const extension = /(?<=.)\.[^. ]{1,16}$/u.exec(name)?.[0] ?? ""
  const stem = name.slice(0, name.length - extension.length)
  const suffix = ` (${number})${extension}`
  return trimmed(cut(stem, maxBytes - encoder.encode(suffix).length)) + suffix
}

/** {@link safe} for each part of a received folder path, at most 16; empty and dot parts are dropped. */
export const safeFolder = (received: string): ReadonlyArray<string> =>
  received
    .slice(0, 4096)
    .split(/[/\\]/)
    .filter((part) => !/^[. ]*$/.test(part))
    .slice(0, maxDepth)
    .map(safe)

/** A name for display: one line of at most `max` characters, with U+FFFD for invisible and direction characters. */
export const display = (received: string, max = 120): string => {
  const characters = [
    ...received.slice(0, 4096).normalize("NFC").replaceAll(/\s/gu, " ").replaceAll(invisible, "\uFFFD")
  ]
  return characters.length <= max ? characters.join("") : `${characters.slice(0, max - 1).join("")}\u2026`
}
