/** How what one waits for grows with what is kept. */
import { type Figure, shown } from "../Report.ts"

/** Times in milliseconds by how many there are, the smallest number first. */
export type Grown = ReadonlyArray<{ readonly count: number; readonly millis: number }>

/** The exponent `e` of `millis ~ count ^ e`, by least squares over the logarithms. */
export const exponentOf = (grown: Grown): number => {
  const points = grown.map(({ count, millis }) => [Math.log(count), Math.log(millis)] as const)
  const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, at]) => at))]
  const above = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0)
  return above / points.reduce((sum, [a]) => sum + (a - x) ** 2, 0)
}

/** Slower growth is not told apart: of what hardly grows, the exponent is noise. */
const flat = 0.5
/** A little more than linear, for what a larger database takes to read. */
const most = 1.15

export const growth = (name: string, grown: Grown): Figure => ({
  name,
  value: Math.max(flat, exponentOf(grown)),
  unit: "exponent",
  against: `${grown.map(({ millis }) => shown(millis)).join(" / ")} ms`,
  aim: { atMost: most }
})
