import type { HomeUrls } from "./home.mjs"

export interface RunFile {
  readonly version: 1
  readonly serverName: string
  readonly urls: HomeUrls
  readonly processes: Readonly<Record<string, { readonly pid: number; readonly runner: number }>>
}

/** Whether a process of this id exists and has not ended. */
export function isAlive(pid: number): boolean

/** What `run.json` in a home's data folder says, undefined when there is none. */
export function readRun(folder: string): RunFile | undefined
