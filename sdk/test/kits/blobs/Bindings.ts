/** The bindings of Iroh that can be tested here. */
import { createRequire } from "node:module"
import process from "node:process"
import type { IrohBlobTransport } from "@kez-chat/sdk/iroh"

export interface TestedBinding {
  readonly kind: "native" | "compatible"
  /** What makes a transport use it. */
  readonly options: Pick<IrohBlobTransport.IrohOptions, "binding">
}

export const compatible: TestedBinding = { kind: "compatible", options: { binding: "compatible" } }

/** `@kez-chat/iroh-native`; undefined, with a sentence on the error output, where it is not built. */
export const native = ((): TestedBinding | undefined => {
  try {
    createRequire(import.meta.url)("@kez-chat/iroh-native")
    return { kind: "native", options: {} }
  } catch (cause) {
    if (process.env["KEZ_NO_SKIP"] === "1") throw cause
    process.stderr.write("No tests of the native binding of Iroh: npm run build:native builds it.\n")
    return undefined
  }
})()

export const bindings: ReadonlyArray<TestedBinding> = native === undefined ? [compatible] : [compatible, native]
