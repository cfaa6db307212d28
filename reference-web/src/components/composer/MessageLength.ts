/** Bytes of a body, and what its frame of JSON and the sigchain's head take of them. */
const bodyBytes = 40_960
const frameBytes = 160

/** With less than this left the rest is shown. */
export const nearBytes = 2_000

const encoder = new TextEncoder()

/** How many bytes still fit in a message after a text; negative where it is too long. */
export const leftBytes = (text: string): number => {
  const room = bodyBytes - frameBytes
  // In JSON a UTF-16 unit takes at most six bytes, so a short text needs no counting.
  if (text.length * 6 <= room - nearBytes) return room - text.length
  return room - (encoder.encode(JSON.stringify(text)).length - 2)
}
