/** Runs that were recorded in `history.jsonl`, one compact line each, and what got worse since. */
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Machine, machineKey } from "./Machine.ts"
import { type Figure, lowerIsBetter, shown } from "./Report.ts"

/** A figure with the bench and the report that it stands in. */
export interface Measured extends Figure {
  readonly bench: string
  readonly report: string
}

/** What a run leaves behind. */
export interface Run {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly commit: string
  readonly machine: Machine
  /** Share of the processors that other work took before the run. */
  readonly load: number
  /** Whether the machine was too busy for figures that mean something. */
  readonly busy: boolean
  readonly figures: ReadonlyArray<Measured>
}

/** A line of the history. Figures have their full name as key. */
export interface Recorded extends Omit<Run, "busy" | "figures"> {
  readonly figures: Readonly<Record<string, number>>
}

/** A figure may be worse than the recorded one by this share of it before it is named. */
export const tolerance = 0.2

const file = fileURLToPath(new URL("history.jsonl", import.meta.url))

export const readHistory = (): ReadonlyArray<Recorded> =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Recorded)
    : []

const keyOf = ({ bench, name, report, unit }: Measured): string => `${bench}: ${report}: ${name} (${unit})`

export const toRecord = ({ at, commit, figures, load, machine }: Run): Recorded => ({
  at,
  commit,
  machine,
  load: Number(load.toPrecision(2)),
  figures: Object.fromEntries(
    figures
      .filter(({ value }) => Number.isFinite(value))
      .map((figure) => [keyOf(figure), Number(figure.value.toPrecision(4))])
  )
})

export const recordRun = (run: Run): void => appendFileSync(file, `${JSON.stringify(toRecord(run))}\n`)

/** Share by which a figure is worse than before; negative when it is better. */
const worseBy = (figure: Figure, before: number): number =>
  lowerIsBetter(figure) ? figure.value / before - 1 : 1 - figure.value / before

/**
 * One line for each figure that got worse than in the last recorded run with it on such a machine, the worst first; and
 * how many figures had one.
 */
export const compare = (
  run: Run,
  history: ReadonlyArray<Recorded>
): { readonly compared: number; readonly worse: ReadonlyArray<string> } => {
  const last = new Map<string, { readonly value: number; readonly at: string; readonly commit: string }>()
  for (const { at, commit, figures, machine } of history)
    if (machineKey(machine) === machineKey(run.machine))
      for (const [key, value] of Object.entries(figures)) last.set(key, { value, at, commit })
  const known = run.figures.flatMap((figure) => {
    const before = last.get(keyOf(figure))
    return before === undefined || before.value === 0 ? [] : [{ figure, before, share: worseBy(figure, before.value) }]
  })
  const worse = known
    .filter(({ share }) => !(share <= tolerance))
    .toSorted((a, b) => b.share - a.share)
    .map(
      ({ before, figure, share }) =>
        `${figure.bench}: ${figure.name}: ${shown(figure.value)} ${figure.unit}, ${Math.round(share * 100)} % worse than ` +
        `${shown(before.value)} of ${before.at.slice(0, 10)} (${before.commit})`
    )
  return { compared: known.length, worse }
}
