/** Starts a shim, and asks who it is. */
import { specVersion, suiteVersion } from "../suite/Versions.ts"
import { protocolVersion, readStarted, type Started } from "./Protocol.ts"
import { ShimFailure, type ShimOptions, ShimProcess } from "./ShimProcess.ts"

/** The shim cannot be started, or does not say who it is: nothing can be checked. */
export class ShimUnusable extends Error {
  override readonly name = "ShimUnusable"
}

export const startShim = async (options: ShimOptions): Promise<readonly [ShimProcess, Started]> => {
  const shim = new ShimProcess(options)
  try {
    const response = await shim.ask("start", { protocol: protocolVersion, spec: specVersion, suite: suiteVersion })
    if (response.ok === undefined) throw new ShimFailure(`start was answered with ${JSON.stringify(response)}`)
    const started = readStarted(response.ok)
    if (typeof started === "string") throw new ShimFailure(started)
    return [shim, started]
  } catch (error) {
    await shim.stop()
    throw new ShimUnusable((error as Error).message)
  }
}
