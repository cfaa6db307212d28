/** Colours of terminal output: only attributes that are readable on dark and on light backgrounds. */

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly caution: (text: string) => string
  readonly name: (text: string) => string
}

const paint = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`
const plain = (text: string) => text

export const coloured: Style = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  good: paint(32, 39),
  bad: paint(31, 39),
  // Yellow is invisible on white.
  caution: paint(35, 39),
  name: (text) => paint(1, 22)(paint(36, 39)(text))
}

export const uncoloured: Style = { bold: plain, dim: plain, good: plain, bad: plain, caution: plain, name: plain }

/** https://no-color.org and https://force-color.org: a non-empty NO_COLOR wins. */
export const wantsColour = (env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean => {
  if (env["NO_COLOR"]) return false
  const force = env["FORCE_COLOR"]
  if (force) return force !== "0" && force !== "false"
  return isTerminal && env["TERM"] !== "dumb"
}
