/** Parts of the page that are loaded when they are first shown. */
import type { AccountState } from "@kez-chat/sdk/web-page"
import type { Route } from "../controllers/Route.ts"

/**
 * Loads what a state shows at an address; it is defined when the promise resolves. Screens of an open account need the
 * part for others too, so that one loads while the worker starts.
 */
export const load = async ({ _tag: state }: AccountState, { screen }: Route): Promise<void> => {
  if (state !== "open") await import("./outside.ts")
  else if (screen === "settings") await Promise.all([import("./inside.ts"), import("./settings.ts")])
  else await import("./inside.ts")
}
