/** What the benches print: one line a figure, a ratio against a baseline measured in the same run, and its aim. */
import { appendFileSync } from "node:fs"

/** Names the file to which `report` adds its figures, one line of JSON each; unset when a bench runs by itself. */
export const figuresVariable = "KEZ_BENCH_FIGURES"

/** Median of numbers: of an even count, the mean of the two in the middle. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

/** The value that a share of all values lies at or under; `share` from 0 to 1. */
export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** A figure that is reached when it is at least (or at most) its aim. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What the value is measured against, or how. */
  readonly against: string
  readonly aim?: { readonly atLeast: number } | { readonly atMost: number }
}

/**
 * A figure against a baseline that took turns with it: the median of what each round's ratio is, since what else the
 * machine does in a round slows both sides; and the medians of both.
 */
export const ratioInRounds = (of: {
  readonly name: string
  readonly mine: ReadonlyArray<number>
  readonly base: ReadonlyArray<number>
  /** Of both sides; the figure itself is their ratio. */
  readonly unit: string
  readonly baseline: string
  readonly aim?: Figure["aim"]
}): Figure => ({
  name: of.name,
  value: median(of.mine.map((value, round) => value / (of.base[round] ?? Number.NaN))),
  unit: "x",
  against: `${of.baseline} (${shown(median(of.mine))} against ${shown(median(of.base))} ${of.unit})`,
  ...(of.aim === undefined ? {} : { aim: of.aim })
})

/** Units of what one waits for or pays; of all others (ratios to the best possible, rates) more is better. */
const costs = new Set(["ms", "us", "s", "MiB", "KiB", "bytes"])

/** An aim says which way is better; without one, the unit does. */
export const lowerIsBetter = ({ aim, unit }: Figure): boolean => (aim === undefined ? costs.has(unit) : "atMost" in aim)

/** A number with three significant digits. */
export const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3)

const verdict = (figure: Figure): string => {
  if (figure.aim === undefined) return ""
  const [bound, ok] =
    "atLeast" in figure.aim
      ? [`>= ${shown(figure.aim.atLeast)}`, figure.value >= figure.aim.atLeast]
      : [`<= ${shown(figure.aim.atMost)}`, figure.value <= figure.aim.atMost]
  return `aim ${bound}: ${ok ? "reached" : "NOT reached"}`
}

/** Prints a bench: a heading, its figures, and what a reader must know about them. */
export const report = (title: string, figures: ReadonlyArray<Figure>, notes: ReadonlyArray<string> = []): void => {
  const lines = figures.map((figure) => {
    const value = `${shown(figure.value)} ${figure.unit}`
    return `  ${figure.name.padEnd(34)} ${value.padStart(16)}   ${figure.against.padEnd(48)} ${verdict(figure)}`.trimEnd()
  })
  const file = process.env[figuresVariable]
  if (file !== undefined)
    appendFileSync(file, figures.map((figure) => `${JSON.stringify({ report: title, ...figure })}\n`).join(""))
  process.stdout.write(`\n${title}\n${lines.join("\n")}\n${notes.map((note) => `  (${note})\n`).join("")}`)
}
