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

// A terminal that was closed takes no more lines; what is under way, such as stopping in order, goes on all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

// On a terminal the line of what is being done gives way to the line of what was done.
const terminal = process.stdout.isTTY === true
let pending = false

function write(text, { replace = false, open = false } = {}) {
  const before = pending ? (replace ? "\r\u001B[2K" : "\n") : ""
  process.stdout.write(`${before}${text}${open ? "" : "\n"}`)
  pending = open
}

export const say = (line = "") => write(line)

/** Says what is being done, and gives back when it began. */
export function doing(what) {
  write(`  ${dim("…")} ${what}`, { replace: true, open: terminal })
  return Date.now()
}

export function done(started, what) {
  write(`  ${green("✓")} ${what} ${dim(`(${duration(Date.now() - started)})`)}`, { replace: true })
}

export const warn = (what) => write(`  ${yellow("!")} ${what}`, { replace: true })
export const fail = (what) => write(`  ${red("✗")} ${what}`, { replace: true })

/** `0.4 s`, `38 s`, `3 min 05 s` */
export function duration(millis) {
  const seconds = millis / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`
}
