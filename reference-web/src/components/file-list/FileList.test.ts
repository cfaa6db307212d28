import type { Listing } from "@kez-chat/sdk/promise"
import { html, render } from "lit"
import { expect, it } from "vitest"
import * as Sample from "../../gallery/FileSample.ts"
import "./FileList.ts"

const open = async (listing: Listing) => {
  render(
    html`<kez-file-list name="chris" who="chris" server="kez.lat" .listing=${listing}></kez-file-list>`,
    document.body
  )
  const list = document.querySelector("kez-file-list")!
  await list.updateComplete
  return { list, root: list.shadowRoot! }
}

const commands = (root: ShadowRoot) => [...root.querySelectorAll("kez-copy")].map(({ text }) => text)

it("shows the newest versions by folder, and older ones when asked for", async () => {
  const { list, root } = await open(Sample.listing(Sample.some))
  expect(commands(root)).toEqual([
    "kez-chat fetch @chris/plans.pdf",
    "kez-chat fetch '@chris/holiday photos 2026.zip'",
    "kez-chat fetch @chris/reports/2026/q3.pdf",
    "kez-chat fetch '@chris/reports/2026/minutes of the meeting.odt'"
  ])
  root.querySelector<HTMLElement>("kez-button")?.click()
  await list.updateComplete
  expect(commands(root)).toContain(`kez-chat fetch @chris/${Sample.some[3]?.id}`)
})

it("says how old a kept list is", async () => {
  const { root } = await open(Sample.listing(Sample.some, { source: "kept" }))
  expect(root.querySelector("kez-note")?.textContent).toBe("Last seen 2 days ago, kez.lat cannot be asked.")
})

it("renders hostile names as isolated text, and none of them in a command", async () => {
  const { root } = await open(Sample.listing(Sample.hostile))
  expect(root.querySelector("li b, h2 b")).toBeNull()
  expect(root.textContent).not.toMatch(/[\u202e\u200b]/)
  for (const command of commands(root)) expect(command).toMatch(/^kez-chat fetch @chris\/[\w-]{22}$/)
})

it("shows a long list in parts", async () => {
  const files = Array.from({ length: 250 }, (_, index) => Sample.file(`${index}.txt`))
  const { list, root } = await open(Sample.listing(files))
  expect(commands(root)).toHaveLength(100)
  root.querySelector<HTMLElement>("kez-button")?.click()
  await list.updateComplete
  expect(commands(root)).toHaveLength(200)
})
