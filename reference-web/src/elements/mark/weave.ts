/** What an account's mark looks like, computed from its key. */
export interface Weave {
  /** Which of the twelve pairs of colours. */
  readonly hue: number
  /** For each crossing, row by row, whether the upright thread lies above. */
  readonly above: ReadonlyArray<boolean>
}

export const size = 4

/** Dark grounds with a pale thread on each; every pair has a contrast of at least 4.5. */
export const hues = [
  ["#0b4f49", "#bff0e6"],
  ["#1f3f77", "#cfe0ff"],
  ["#5b2a63", "#f3d3f7"],
  ["#73262f", "#ffd3d6"],
  ["#5e3a08", "#ffe2b8"],
  ["#36521c", "#dcf3bd"],
  ["#13505f", "#c4ecf7"],
  ["#423a86", "#ddd9ff"],
  ["#6f2352", "#ffd0ea"],
  ["#6a3415", "#ffd9c2"],
  ["#4b4a12", "#f0edb0"],
  ["#37424d", "#dbe6ef"]
] as const

/** The weave of a primary key: SHA-256("kez-chat/weave/1" || primary), 4 bits for the colours, 16 for the crossings. */
export const weaveOf = async (primary: string): Promise<Weave> => {
  const text = new TextEncoder().encode(`kez-chat/weave/1${primary}`)
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text))
  const crossings = (hash[1]! << 8) | hash[2]!
  return {
    hue: hash[0]! % hues.length,
    above: Array.from({ length: size * size }, (_, index) => ((crossings >> index) & 1) === 1)
  }
}
