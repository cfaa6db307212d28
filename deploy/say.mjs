// The few lines that set-up and runner print. Colour only for a terminal that wants it.
const colour = process.env.FORCE_COLOR
  ? process.env.FORCE_COLOR !== "0"
  : process.stdout.isTTY === true && !process.env.NO_COLOR

const paint = (code) => (text) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text)
export const bold = paint(1)
export const dim = paint(2)
export const green = paint(32)
export const yellow = paint(33)
export const red = paint(31)
export const cyan = paint(36)

export const say = (line = "") => process.stdout.write(`${line}\n`)

/** Says what is being done, and gives back when it began. */
export function doing(what) {
  say(`  ${dim("…")} ${what}`)
  return Date.now()
}

export function done(started, what) {
  say(`  ${green("✓")} ${what} ${dim(`(${duration(Date.now() - started)})`)}`)
}

export const warn = (what) => say(`  ${yellow("!")} ${what}`)
export const fail = (what) => say(`  ${red("✗")} ${what}`)

/** `0.4 s`, `38 s`, `3 min 05 s` */
export function duration(millis) {
  const seconds = millis / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`
}
