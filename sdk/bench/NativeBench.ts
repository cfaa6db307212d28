/** What native iroh-blobs reaches on this machine, as a measure for ours: two endpoints in one process, over loopback. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { findPeer, irohPeer } from "../../deploy/tasks/RustPeers.ts"
import { median } from "./Report.ts"

/** MiB/s, the medians of a few rounds. */
export interface NativeRates {
  /** A blob fetched and verified. */
  readonly fetch: number
  /** As many bytes on a QUIC stream of their own, with nothing done to them. */
  readonly stream: number
}

/** Undefined where the native peer was not built (conformance/peers/iroh). */
export const nativeBench = async (mebibytes = 64): Promise<NativeRates | undefined> => {
  const peer = findPeer(irohPeer)
  if (peer === undefined) return undefined
  const { stdout } = await promisify(execFile)(peer, ["bench", String(mebibytes), "--rounds", "5"], {
    timeout: 300_000
  })
  const rates = JSON.parse(stdout) as {
    readonly fetchMebibytesPerSecond: ReadonlyArray<number>
    readonly streamMebibytesPerSecond: ReadonlyArray<number>
  }
  return { fetch: median(rates.fetchMebibytesPerSecond), stream: median(rates.streamMebibytesPerSecond) }
}
