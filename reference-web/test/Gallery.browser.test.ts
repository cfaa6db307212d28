/** Every component in every state of its story: no violation of accessibility rules, light and dark. */
import axe from "axe-core"
import { render } from "lit"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { stories } from "../src/gallery/stories.ts"
import "../src/styles/page.css"

let stage: HTMLElement

beforeEach(() => {
  stage = document.createElement("main")
  document.body.append(stage)
})

afterEach(() => {
  stage.remove()
  delete document.documentElement.dataset["theme"]
})

/** Waits until nothing in the tree has an update to do. */
const settled = async (root: ParentNode): Promise<void> => {
  for (const element of root.querySelectorAll("*")) {
    await (element as { readonly updateComplete?: Promise<unknown> }).updateComplete
    if (element.shadowRoot !== null) await settled(element.shadowRoot)
  }
}

describe.each(stories)("$element", ({ element, states }) => {
  it.each(Object.entries(states))("%s is accessible", async (_, state) => {
    render(state(), stage)
    await settled(stage)
    for (const theme of ["light", "dark"]) {
      document.documentElement.dataset["theme"] = theme
      const { violations } = await axe.run(stage, {
        // The other theme changes nothing but colours.
        ...(theme === "dark" ? { runOnly: ["color-contrast", "link-in-text-block"] } : {}),
        // A story is a piece of a page: landmarks and headings are judged in the whole page.
        rules: {
          region: { enabled: false },
          "page-has-heading-one": { enabled: false },
          "heading-order": { enabled: false }
        }
      })
      const found = violations.map(
        ({ help, id, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`
      )
      expect({ element, theme, found }).toEqual({ element, theme, found: [] })
    }
  })
})
