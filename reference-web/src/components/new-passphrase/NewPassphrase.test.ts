import { expect, it } from "vitest"
import { accountDouble, settled, show, textOf, type } from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import { NewPassphrase } from "./NewPassphrase.ts"
import { strengthOf } from "./PassphraseRule.ts"

it.each([
  ["", "short"],
  ["ninechars", "short"],
  ["paper moon", "enough"],
  ["paper moon lamp", "good"],
  ["paper moon lamp river", "strong"],
  ["🌊🌊🌊🌊🌊🌊🌊🌊🌊", "short"],
  ["password123", "common"],
  ["Password 1234!", "common"],
  ["passwordpassword", "common"],
  ["1234567890", "common"],
  ["aaaaaaaaaaaaaaa", "common"],
  ["chris12345", "common"],
  ["qwertyuiop", "common"]
] as const)("%s is %s", (passphrase, strength) => {
  expect(strengthOf(passphrase, "chris")).toBe(strength)
})

const open = async () => {
  const step = await show(Object.assign(new NewPassphrase(), { handle: "chris@kez.lat" }), accountDouble({}))
  const taken: Array<string> = []
  step.addEventListener("kez-passphrase", (event) => taken.push(event.detail))
  return { step, taken }
}

const field = (step: NewPassphrase, which: "first" | "second") => step.renderRoot.querySelector<Field>(`#${which}`)!

const submit = async (step: NewPassphrase) => {
  step.renderRoot.querySelector("form")!.requestSubmit()
  await settled()
}

it("hands the passphrase on once, and forgets it", async () => {
  const { step, taken } = await open()
  await type(field(step, "first"), "paper moon lamp")
  await type(field(step, "second"), "paper moon lamp")
  await submit(step)
  expect(taken).toEqual(["paper moon lamp"])
  expect(textOf()).not.toContain("paper moon")
  await submit(step)
  expect(taken).toHaveLength(1)
})

it("refuses one that is short, common or typed differently, and goes to the field", async () => {
  const { step, taken } = await open()
  const focused = () => step.shadowRoot!.activeElement?.id
  await submit(step)
  expect(focused()).toBe("first")
  await type(field(step, "first"), "password123")
  await type(field(step, "second"), "password123")
  await submit(step)
  expect(focused()).toBe("first")
  await type(field(step, "first"), "paper moon lamp")
  await submit(step)
  expect(focused()).toBe("second")
  expect(taken).toEqual([])
})

it("keeps what was typed when the listener refuses it", async () => {
  const { step } = await open()
  step.addEventListener("kez-passphrase", (event) => event.preventDefault())
  await type(field(step, "first"), "paper moon lamp")
  await type(field(step, "second"), "paper moon lamp")
  await submit(step)
  expect(step.first).toBe("paper moon lamp")
})

it("fills both fields with a suggestion and shows it", async () => {
  const { step, taken } = await open()
  step.suggested = "ocean bread kitten silver"
  await settled()
  expect(step.renderRoot.querySelector("code")?.textContent).toBe("ocean bread kitten silver")
  await submit(step)
  expect(taken).toEqual(["ocean bread kitten silver"])
  expect(textOf()).not.toContain("kitten")
})

it("offers managers a user name and new passwords", async () => {
  const { step } = await open()
  expect(step.renderRoot.querySelector<HTMLInputElement>("[autocomplete=username]")?.value).toBe("chris@kez.lat")
  const fields = Array.from(step.renderRoot.querySelectorAll<Field>("kez-field"))
  expect(fields.map(({ input }) => input.autocomplete)).toEqual(["new-password", "new-password"])
})
