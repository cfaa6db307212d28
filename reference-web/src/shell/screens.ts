/** Parts of the page that are loaded when they are first shown. */
import type { AccountState } from "@kez-chat/sdk/web-page"
import type { Route } from "../controllers/Route.ts"

const outside = () => import("./outside.ts")
const chat = () => import("./chat.ts")
const people = () => import("./people.ts")
const settings = () => import("../screens/settings/SettingsScreen.ts")

/** Loads what a state and a route show; it is defined when the promise resolves. */
export const load = async (state: AccountState, { screen }: Route): Promise<void> => {
  if (screen === "about") await people()
  if (state._tag !== "open") {
    if (state._tag === "empty" || state._tag === "locked" || state._tag === "broken") await outside()
    return
  }
  await chat()
  if (screen === "settings") await settings()
  if (
    screen === "conversation" ||
    screen === "profile" ||
    screen === "safety" ||
    screen === "files" ||
    screen === "about"
  )
    await people()
}
