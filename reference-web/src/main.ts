import { applyTheme } from "./controllers/Preferences.ts"
import "./shell/App.ts"
import { type OwnTexts, withOwn } from "./texts/Texts.ts"

applyTheme()

const app = document.querySelector("kez-app")

try {
  // The operator's sentences (`--page-texts` of the home server); the file of the build has none.
  const address = new URL("texts.js", document.baseURI).href
  const { default: own }: { readonly default: OwnTexts } = await import(/* @vite-ignore */ address)
  if (app !== null) app.texts = withOwn(own)
} catch {
  // Offline before the first visit was complete: English.
}
