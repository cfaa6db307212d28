import { openAccount } from "@kez-chat/sdk/web-page"
import "./shell/App.ts"
import { applyTheme } from "./controllers/Preferences.ts"
import { type OwnTexts, withOwn } from "./texts/Texts.ts"
import { registerServiceWorker, workers } from "./workers.ts"

declare const BUILD_TIME: string

applyTheme()

/** The operator's sentences (`--page-texts` of the home server); the file of the build has none. */
const ownTexts = async (): Promise<OwnTexts> => {
  try {
    const address = new URL("texts.js", document.baseURI).href
    const { default: own }: { readonly default: OwnTexts } = await import(/* @vite-ignore */ address)
    return own
  } catch (error) {
    // A fault in the operator's file, or no network before the first visit was complete: English, and the console says why.
    reportError(error)
    return {}
  }
}

const app = document.querySelector("kez-app")
if (app !== null) {
  const [own, account] = await Promise.all([ownTexts(), openAccount({ build: BUILD_TIME, ...workers })])
  app.texts = withOwn(own)
  app.account = account
  await registerServiceWorker()
}
