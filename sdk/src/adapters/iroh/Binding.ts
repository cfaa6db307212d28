/**
 * The two bindings of Iroh for Node, with one face. `@kez-chat/iroh-native` moves bytes in typed arrays.
 * `@number0/iroh` 1.1 takes and returns arrays of numbers, at about 100 and 170 ns a byte, which limits its throughput.
 */
import type * as Addon from "@kez-chat/iroh-native"
import type * as Iroh from "@number0/iroh/index.js"
import * as Effect from "effect/Effect"
import { AdapterUnavailable } from "../../services/AdapterUnavailable.ts"
import * as NativeAnswers from "./NativeAnswers.ts"
import { pieceBytes } from "../blobs-core/TransferLimits.ts"
import { firstLine } from "./StreamErrors.ts"

export interface Binding {
  readonly kind: "native" | "compatible"
  /** Why the native addon, which is installed, is not used. */
  readonly fault?: string
  readonly iroh: typeof Iroh.default
  /** Passes bytes to a call that has read them when it returns. They may be reused when `give` returns. */
  readonly give: <A>(bytes: Uint8Array, take: (given: Array<number>) => Promise<A>) => Promise<A>
  /** The bytes that a call returned. */
  readonly received: (given: Array<number> | Uint8Array) => Uint8Array
  /** How answers are read and written in the binding itself. */
  readonly answers?: (stream: Iroh.BiStream) => NativeAnswers.Answers
}

/** Reused for every whole piece, because allocation costs more than filling. */
const piece: Array<number> = []

/** Plain loops add 1 and 3 ns a byte, `Array.from` and `new Uint8Array` 55 and 45: returned arrays are not packed. */
export const compatible = (iroh: typeof Iroh.default): Binding => ({
  kind: "compatible",
  iroh,
  give: (bytes, take) => {
    const array = bytes.length === pieceBytes ? piece : []
    for (let i = 0; i < bytes.length; i++) array[i] = bytes[i] as number
    return take(array)
  },
  received: (given) => {
    const bytes = new Uint8Array(given.length)
    for (let i = 0; i < bytes.length; i++) bytes[i] = given[i] as number
    return bytes
  }
})

/** The types of the streams of `@number0/iroh` stand for both, and those of this one are narrower here alone. */
const native = (iroh: typeof Addon): Binding => ({
  kind: "native",
  iroh: iroh as unknown as typeof Iroh.default,
  give: (bytes, take) => take(bytes as unknown as Array<number>),
  received: (given) => given as Uint8Array,
  answers: (stream) => NativeAnswers.make(stream as unknown as Addon.BiStream)
})

/** The version of the addon's interface (`lib.rs` there) that is used here. */
const interfaceVersion = 1

type Addons = { readonly addon?: typeof Addon; readonly fault?: string }

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null)?.code

/** The addon, or why it cannot be used; neither where it is not installed or has no build for this system. */
const addonOf = async (load: () => Promise<unknown>): Promise<Addons> => {
  try {
    const addon = (await load()) as typeof Addon
    const version: unknown = addon.INTERFACE_VERSION
    if (version === interfaceVersion) return { addon }
    return { fault: `the native addon has interface ${version ?? 0}, not ${interfaceVersion}` }
  } catch (cause) {
    if (codeOf(cause) === "ERR_MODULE_NOT_FOUND" || codeOf(cause) === "MODULE_NOT_FOUND") return {}
    return { fault: `the native addon does not load: ${firstLine(cause)}` }
  }
}

const installed = async (): Promise<unknown> => (await import("@kez-chat/iroh-native")).default

/**
 * The fastest binding that is installed and loads, unless the compatible one is asked for. Loads it on first use, and
 * the addon with `addonModule`.
 */
export const load = (
  wanted: "compatible" | undefined,
  addonModule: () => Promise<unknown> = installed
): Effect.Effect<Binding, AdapterUnavailable> =>
  Effect.gen(function* () {
    const { addon, fault } = wanted === undefined ? yield* Effect.promise(() => addonOf(addonModule)) : {}
    if (addon !== undefined) return native(addon)
    // Imports the file by path: the package's main entry does not exist, and Node warns about that.
    const iroh = yield* Effect.tryPromise({
      try: () => import("@number0/iroh/index.js"),
      catch: (cause) =>
        new AdapterUnavailable({
          adapter: "sending and fetching files",
          package: "@number0/iroh",
          install: "npm install @number0/iroh",
          ...(fault === undefined ? {} : { note: fault }),
          cause
        })
    })
    return { ...compatible(iroh.default), ...(fault === undefined ? {} : { fault }) }
  })
