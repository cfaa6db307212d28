/** Formats a transfer on one line. Pure: width and rate are parameters. */
import * as Columns from "../output/Columns.ts"
import * as Quantity from "../output/Quantity.ts"
import type { Style } from "../output/Style.ts"

/** The state of a transfer. */
export interface Transfer {
  /** The sanitised name of what is transferred. */
  readonly label: string
  /** The activity, for people: `encrypting`, `receiving`, `waiting for bob@home`. */
  readonly phase: string
  /** `bytes` shows a bar, `step` is short and without bytes, `wait` is stalled. */
  readonly kind: "bytes" | "step" | "wait"
  /** Why it is stalled. */
  readonly reason?: string | undefined
  readonly doneBytes: number
  readonly totalBytes: number
}

const barColumns = { least: 10, most: 30 }
/** A name is cut to a third of the terminal, within these bounds, before the bar is dropped. */
const labelColumns = { least: 12, most: 40 }

const labelOf = (value: Transfer, columns: number): string =>
  Columns.cut(value.label, Math.min(labelColumns.most, Math.max(labelColumns.least, Math.floor(columns / 3))))

const bar = (share: number, columns: number, style: Style): string => {
  const full = Math.min(columns, Math.floor(share * columns))
  return `${style.good("█".repeat(full))}${style.dim("░".repeat(columns - full))}`
}

/** `12/28 MB`, or `900 kB/28 MB` where the units differ. */
const amount = (done: number, total: number): string => {
  const [a, b] = [Quantity.bytes(done), Quantity.bytes(total)]
  const [value = "", unit = ""] = a.split(" ")
  return unit === b.split(" ")[1] ? `${value}/${b}` : `${a}/${b}`
}

/** In fewer than `columns` columns: parts that do not fit are dropped, the last first. */
const moving = (value: Transfer, rate: number | undefined, columns: number, style: Style): string => {
  const { doneBytes, totalBytes } = value
  const percent = `${String(Quantity.percent(doneBytes, totalBytes)).padStart(3)}%`
  const left = totalBytes - doneBytes
  const figures = [
    percent,
    amount(doneBytes, totalBytes),
    ...(rate === undefined ? [] : [`${Quantity.bytes(Math.round(rate))}/s`]),
    ...(rate === undefined || rate < 1 || left <= 0 ? [] : [`${Quantity.span(left / rate)} left`])
  ]
  const label = labelOf(value, columns)
  const room = (shown: ReadonlyArray<string>) => columns - Columns.width(label) - shown.join("  ").length - 4
  while (figures.length > 1 && room(figures) < barColumns.least) figures.pop()
  const space = room(figures)
  if (space < barColumns.least) return Columns.cut(`${label}  ${figures.join("  ")}`, columns)
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes
  const drawn = bar(share, Math.min(barColumns.most, space), style)
  const [first = "", ...rest] = figures
  return [label, drawn, first, ...rest.map((text) => style.dim(text))].join("  ")
}

/** One line of fewer than `columns` columns. `rate` is in bytes per second. */
export const line = (value: Transfer, rate: number | undefined, columns: number, style: Style): string => {
  // The last column stays free: after filling it a terminal may already be on the next line.
  const room = Math.max(1, columns - 1)
  if (value.kind === "bytes") return moving(value, rate, room, style)
  const had = value.doneBytes === 0 ? "" : ` (${Quantity.percent(value.doneBytes, value.totalBytes)}% here)`
  const label = labelOf(value, room)
  const left = room - Columns.width(label) - 2
  const whole = `${value.reason === undefined ? value.phase : `${value.phase}: ${value.reason}`}${had}`
  // If not all of it fits, the reason matters more than the name.
  const text = Columns.cut(Columns.width(whole) <= left ? whole : (value.reason ?? whole), left)
  return Columns.cut(text === "" ? label : `${label}  ${text}`, room)
}

/** The same for a file or a log: without a bar, and without the changing figures unless bytes arrive. */
export const plain = (value: Transfer, rate: number | undefined): string => {
  const { doneBytes, totalBytes, label, phase, reason, kind } = value
  const said = reason === undefined ? phase : `${phase}: ${reason}`
  if (doneBytes === 0 || kind !== "bytes") return `${label}  ${said}`
  const speed = rate === undefined ? "" : `  ${Quantity.bytes(Math.round(rate))}/s`
  return `${label}  ${said}  ${Quantity.percent(doneBytes, totalBytes)}%  ${amount(doneBytes, totalBytes)}${speed}`
}
