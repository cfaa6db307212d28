/** Parts of the page that are loaded when they are first shown. */
import type { AccountState } from "@kez-chat/sdk/web-page"

/**
 * Loads what a state shows; it is defined when the promise resolves. Screens of an open account need the part for others
 * too, so that one loads while the worker starts.
 */
export const load = ({ _tag: state }: AccountState): Promise<unknown> =>
  state === "open" ? import("./inside.ts") : import("./outside.ts")
