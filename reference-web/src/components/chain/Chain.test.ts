import { html, nothing, render } from "lit"
import { expect, it } from "vitest"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Chain } from "./Chain.ts"
import "./Chain.ts"

const open = async (verification: typeof Sample.whole): Promise<{ chain: Chain; root: ShadowRoot }> => {
  render(nothing, document.body)
  render(html`<kez-chain name="chris" .verification=${verification} .newestFirst=${false}></kez-chain>`, document.body)
  const chain = document.querySelector("kez-chain")!
  await chain.updateComplete
  return { chain, root: chain.shadowRoot! }
}

const press = async ({ chain, root }: Awaited<ReturnType<typeof open>>, label: string): Promise<void> => {
  const button = [...root.querySelectorAll("button")].find(({ textContent }) => textContent.trim() === label)
  button?.click()
  await chain.updateComplete
}

const seqs = (root: ShadowRoot) => [...root.querySelectorAll("li")].map(({ dataset }) => dataset["seq"] ?? "break")

it("shows the newest links, then all of them, in either order", async () => {
  const shown = await open(Sample.whole)
  expect(seqs(shown.root)).toEqual(["6", "7", "8", "9", "10", "11"])
  await press(shown, "Show the whole chain")
  expect(seqs(shown.root)).toHaveLength(10)
  await press(shown, "Show newest first")
  expect(seqs(shown.root)[0]).toBe("11")
  expect(shown.root.querySelector("footer")?.textContent).toContain("12 links")
})

it.each([
  ["a fork", Sample.forked, ["3", "break", "6", "7", "8", "9", "10", "11"]],
  ["a rollback", Sample.rolledBack, ["6", "7", "8", "9", "10", "11", "break"]]
])("draws %s where it is and names both heads", async (_, verification, lines) => {
  const { root } = await open(verification)
  expect(seqs(root)).toEqual(lines)
  const hashes = [...root.querySelectorAll(".break code")].map(({ textContent }) => textContent)
  expect(hashes).toHaveLength(2)
  expect(hashes[0]).toBe(verification.contact.head?.hash)
})

it("renders events only when their details are opened, and names as text", async () => {
  const { chain, root } = await open(Sample.verificationOf(Sample.hostile))
  expect(root.querySelector("pre")).toBeNull()
  expect(root.querySelector("li b")).toBeNull()
  root.querySelectorAll("summary")[1]?.click()
  await expect.poll(() => root.querySelector("pre")?.textContent).toContain('"op": "add"')
  await chain.updateComplete
  expect(root.querySelectorAll("pre")).toHaveLength(1)
})
