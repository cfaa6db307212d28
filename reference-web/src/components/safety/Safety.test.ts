import { html, render } from "lit"
import { expect, it } from "vitest"
import { fullDate } from "../../model/Moment.ts"
import * as Sample from "../../gallery/PersonSample.ts"
import type { KeyDecision } from "../key-change/KeyDecision.ts"
import type { Safety } from "./Safety.ts"
import "./Safety.ts"

const open = async (verification: typeof Sample.whole) => {
  const decisions: Array<KeyDecision> = []
  render(
    html`<kez-safety
      name="chris"
      server="kez.lat"
      .verification=${verification}
      .step=${"compare"}
      @kez-key-decision=${(event: CustomEvent<KeyDecision>) => decisions.push(event.detail)}
    ></kez-safety>`,
    document.body
  )
  const safety = document.querySelector("kez-safety")!
  safety.step = "compare"
  await safety.updateComplete
  return { safety, decisions, root: safety.shadowRoot! }
}

const press = async ({ root, safety }: { root: ShadowRoot; safety: Safety }, label: string): Promise<void> => {
  const button = [...root.querySelectorAll("kez-button")].find(({ textContent }) => textContent.trim() === label)
  expect(button, label).toBeDefined()
  button?.click()
  await safety.updateComplete
}

const { pinned } = Sample.whole
const checked = Sample.verificationOf(Sample.operations, { verified: true })

it("says when the number was checked, where that is known", async () => {
  const verifiedAt = new Date(2026, 10, 29, 12).getTime()
  const dated = Sample.verificationOf(Sample.operations, { verified: true, verifiedAt })
  expect((await open(dated)).root.textContent).toContain(`Checked on ${fullDate(verifiedAt)}.`)
  expect((await open(checked)).root.textContent).toContain("You compared this number and it matched.")
})

it("marks nothing by being opened", async () => {
  for (const verification of [Sample.whole, checked, Sample.replaced, Sample.rotated]) {
    expect((await open(verification)).decisions).toEqual([])
  }
})

it("confirms the pinned key when the numbers match", async () => {
  const shown = await open(Sample.whole)
  await press(shown, "They match")
  expect(shown.decisions).toEqual([{ action: "confirm", primary: pinned.primary }])
})

it("warns when they do not match, and offers to compare again and to block", async () => {
  const shown = await open(Sample.whole)
  await press(shown, "They do not match")
  expect(shown.decisions).toEqual([])
  expect(shown.root.textContent).toContain("Do not send anything private")
  expect([...shown.root.querySelectorAll("kez-button")].map(({ textContent }) => textContent.trim())).not.toContain(
    "They match"
  )
  await press(shown, "Block chris")
  expect(shown.decisions).toEqual([{ action: "block" }])
})

it("takes the mark away when a checked number does not match any more", async () => {
  const shown = await open(checked)
  await press(shown, "They do not match")
  expect(shown.decisions).toEqual([{ action: "unconfirm" }])
})

it("compares the offered key's number, and accepts that very key", async () => {
  const shown = await open(Sample.replaced)
  const numbers = [...shown.root.querySelectorAll("kez-safety-number")].map(({ number }) => number)
  expect(numbers).toEqual([Sample.replaced.offered?.safetyNumber, pinned.safetyNumber])
  await press(shown, "They match")
  expect(shown.decisions).toEqual([{ action: "accept", primary: Sample.otherPrimary, compared: true }])
})

it.each([
  ["the same code", pinned.qr, [{ action: "confirm", primary: pinned.primary }], "compare"],
  ["another number", Sample.replaced.offered?.qr ?? "", [], "differ"],
  ["no number", "https://kez.lat", [], "other"]
] as const)("judges a scan of %s", async (_, text, decisions, step) => {
  const shown = await open(Sample.whole)
  shown.safety.step = "scanning"
  await shown.safety.updateComplete
  shown.root.querySelector("kez-code-scanner")?.dispatchEvent(new CustomEvent("kez-scan", { detail: { text } }))
  expect(shown.decisions).toEqual(decisions)
  expect(shown.safety.step).toBe(step)
})

it("lets nobody be checked who is not accepted", async () => {
  for (const state of ["requested", "blocked"] as const) {
    const { root } = await open(Sample.verificationOf(Sample.operations, { state }))
    expect(root.querySelectorAll("kez-button")).toHaveLength(0)
  }
})
