import "./shell/App.ts"
import { type OwnTexts, withOwn } from "./texts/Texts.ts"

/** The operator's sentences (`--page-texts` of the home server); the file of the build has none. */
const ownTexts = (): Promise<{ readonly default: OwnTexts }> =>
  import(/* @vite-ignore */ new URL("texts.js", document.baseURI).href)

const app = document.querySelector("kez-app")
ownTexts().then(
  ({ default: own }) => app && Object.assign(app, { texts: withOwn(own) }),
  // Offline before the first visit was complete: English.
  () => {}
)
