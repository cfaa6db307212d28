/** The machine that a bench runs on, and whether it is quiet enough for figures that mean something. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { cpus, release, tmpdir, totalmem, type as system } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { median } from "./Report.ts"

export interface Machine {
  readonly processor: string
  readonly cores: number
  /** Whole GiB. */
  readonly memory: number
  readonly kernel: string
  readonly node: string
  /** Median milliseconds of `fdatasync` after a write of 4 KiB in the folder where benches keep their data. */
  readonly fdatasyncMillis: number
}

/** Share of the processors, from 0 to 1, that other work may take before a run. */
export const quietShare = 0.1
const watchMillis = 3_000
const syncs = 51

const measureSync = (): number => {
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
  try {
    const file = openSync(join(folder, "sync"), "w")
    const page = Buffer.alloc(4_096, 1)
    const millis: Array<number> = []
    for (let i = 0; i < syncs; i++) {
      writeSync(file, page)
      const began = performance.now()
      fdatasyncSync(file)
      millis.push(performance.now() - began)
    }
    closeSync(file)
    return median(millis)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const describeMachine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memory: Math.round(totalmem() / 2 ** 30),
  kernel: `${system()} ${release()}`,
  node: process.version,
  fdatasyncMillis: measureSync()
})

/** Recorded figures are compared on machines that agree in this; kernel and Node may change. */
export const machineKey = ({ cores, memory, processor }: Machine): string =>
  `${processor}, ${cores} cores, ${memory} GiB`

export const machineSentence = (machine: Machine): string =>
  `${machineKey(machine)}, ${machine.kernel}, Node ${machine.node}; fdatasync of 4 KiB takes ${machine.fdatasyncMillis.toFixed(2)} ms`

/** Share of the processors that was not idle; what waits for the disk, or is taken by the host, counts as busy. */
export const busyShare = (idleMillis: number, elapsedMillis: number, cores: number): number =>
  Math.min(1, Math.max(0, 1 - idleMillis / (elapsedMillis * cores)))

/** Watches the processors for three seconds, in which this process does nothing. */
export const measureLoad = async (): Promise<number> => {
  const idle = () => cpus().reduce((sum, { times }) => sum + times.idle, 0)
  const [before, began] = [idle(), performance.now()]
  await sleep(watchMillis)
  return busyShare(idle() - before, performance.now() - began, cpus().length)
}

/** Why a run must not begin, or undefined. A recorded run is a measure for later ones, so it is never made under load. */
export const refusal = (load: number, options: { readonly anyway: boolean; readonly record: boolean }) => {
  if (load <= quietShare) return undefined
  const busy = `Other work keeps ${Math.round(load * 100)} % of the processors busy, and a bench needs less than ${quietShare * 100} %`
  if (options.record) return `${busy}: stop it before you record a run.`
  return options.anyway ? undefined : `${busy}: stop it, or measure with --anyway.`
}
