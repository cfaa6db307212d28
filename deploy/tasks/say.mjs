// Terminal output of set-up and tasks. Ours because it runs before anything is installed.

/** Colour only on a terminal, and not against NO_COLOR. */
const colour = process.env.FORCE_COLOR
  ? process.env.FORCE_COLOR !== "0"
  : process.stdout.isTTY === true && !process.env.NO_COLOR

/** @param {number} code */
const paint = (code) => (/** @type {string} */ text) => (colour ? `\u001B[${code}m${text}\u001B[0m` : text)
export const bold = paint(1)
export const dim = paint(2)
export const green = paint(32)
const yellow = paint(33)
const red = paint(31)
export const cyan = paint(36)

// Writing to a closed terminal fails; that must not interrupt an orderly stop.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

// On a terminal, the line about a finished step replaces the line about the running one.
const terminal = process.stdout.isTTY === true
let pending = false

/** @param {string} text */
function write(text, { replace = false, open = false } = {}) {
  const before = pending ? (replace ? "\r\u001B[2K" : "\n") : ""
  process.stdout.write(`${before}${text}${open ? "" : "\n"}`)
  pending = open
}

export const say = (line = "") => write(line)

/**
 * Announces a step and returns when it began, for `done`.
 * @param {string} step
 */
export function doing(step) {
  write(`  ${dim("…")} ${step}`, { replace: true, open: terminal })
  return Date.now()
}

/**
 * Reports a finished step with its duration.
 * @param {number} started
 * @param {string} step
 */
export function done(started, step) {
  write(`  ${green("✓")} ${step} ${dim(`(${duration(Date.now() - started)})`)}`, { replace: true })
}

/** @param {string} text */
export const warn = (text) => write(`  ${yellow("!")} ${text}`, { replace: true })
/** @param {string} text */
export const fail = (text) => write(`  ${red("✗")} ${text}`, { replace: true })

/**
 * `0.4 s`, `38 s`, `3 min 05 s`
 * @param {number} millis
 */
export function duration(millis) {
  const seconds = millis / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, "0")} s`
}
