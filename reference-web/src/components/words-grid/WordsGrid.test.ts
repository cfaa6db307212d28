import { expect, it } from "vitest"
import { accountDouble, settled, show, words } from "../../../test/kit/AccountDouble.ts"
import { WordsGrid } from "./WordsGrid.ts"

const open = () => show(Object.assign(new WordsGrid(), { words: words.split(" ") }), accountDouble({}))

it("shows the words only when asked, and hides them when the page is left", async () => {
  const grid = await open()
  expect(grid.shadowRoot!.textContent).not.toContain("ocean")
  grid.renderRoot.querySelector<HTMLElement>("kez-button")!.click()
  await settled()
  expect(grid.shadowRoot!.textContent).toContain("24title")
  dispatchEvent(new PageTransitionEvent("pagehide"))
  await settled()
  expect(grid.shadowRoot!.textContent).not.toContain("ocean")
})
