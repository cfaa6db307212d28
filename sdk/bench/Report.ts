/** What the benches print: one line a figure, a ratio against a baseline measured in the same run, and its aim. */

/** Median of numbers. */
export const median = (values: ReadonlyArray<number>): number => percentile(values, 0.5)

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

const shown = (value: number): string =>
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
  process.stdout.write(`\n${title}\n${lines.join("\n")}\n${notes.map((note) => `  (${note})\n`).join("")}`)
}
