import type { HomePorts } from "./home.mjs"

/** The usual ports of a local home. */
export const DEFAULT_PORTS: HomePorts

/** Reads `auto` or a list like `home=9080,nats=5222`. */
export function parsePorts(text: string): "auto" | Partial<HomePorts>

/** Whether 127.0.0.1:port can be listened on now. */
export function isFree(port: number): Promise<boolean>

export function freePorts(): Promise<HomePorts>

/** `"name (process 1234)"` for who listens on a port, where /proc tells. */
export function holder(port: number): string | undefined

/** One sentence about a port that is taken. */
export function busySentence(name: string, port: number): string
