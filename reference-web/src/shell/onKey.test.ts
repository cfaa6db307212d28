import { html, render } from "lit"
import { afterEach, beforeEach, expect, it } from "vitest"
import "../components/composer/Composer.ts"
import { onKey } from "./onKey.ts"

beforeEach(() => {
  addEventListener("keydown", onKey)
  location.hash = "#/c/chris@kez.lat"
})
afterEach(() => {
  removeEventListener("keydown", onKey)
  render(null, document.body)
  location.hash = ""
})

const press = (target: Element, key: string): boolean =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }))

it("leaves the conversation by Escape in the composer, which keeps its text as a draft", async () => {
  const drafts: Array<string> = []
  render(
    html`<kez-composer @kez-draft=${({ detail }: CustomEvent<string>) => drafts.push(detail)}></kez-composer>`,
    document.body
  )
  const composer = document.querySelector("kez-composer")!
  await composer.updateComplete
  const area = composer.shadowRoot!.querySelector("textarea")!
  expect(press(area, "ArrowUp")).toBe(true)
  expect(location.hash).toBe("#/c/chris@kez.lat")
  area.value = "Half a thought"
  area.dispatchEvent(new InputEvent("input"))
  press(area, "Escape")
  expect(location.hash).toBe("#/")
  composer.remove()
  expect(drafts).toEqual(["Half a thought"])
})

it("leaves another field alone", () => {
  render(html`<input />`, document.body)
  press(document.querySelector("input")!, "Escape")
  expect(location.hash).toBe("#/c/chris@kez.lat")
})
