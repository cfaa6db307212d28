/** What crosses a port. Every message is structured-cloneable. */
import type { PortError } from "./PortError.ts"

/** Items of a stream that are on their way or wait to be taken. */
export const windowItems = 32

/** From the side that calls. */
export type Request =
  /** `signalAt`: index of the argument that has a `signal` on the caller's side. */
  | { readonly id: number; readonly name: string; readonly args: ReadonlyArray<unknown>; readonly signalAt?: number }
  /** So many more items of a stream may be sent. */
  | { readonly id: number; readonly more: number }
  /** The call was aborted, or the loop over the stream was left. */
  | { readonly id: number; readonly stop: true }
  | { readonly closed: true }

/** From the side that answers. */
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly error: PortError }
  | { readonly closed: true }
