/** Parts of the page that are loaded when they are first shown. */
import type { AccountState } from "@kez-chat/sdk/web-page"
import type { Route } from "../controllers/Route.ts"

/** Loads what a state and a route show; it is defined when the promise resolves. */
export const load = async ({ _tag: state }: AccountState, { screen }: Route): Promise<void> => {
  if (state === "open") await import("./inside.ts")
  else if (state === "empty" || state === "locked" || state === "broken" || screen === "about")
    await import("./outside.ts")
}
