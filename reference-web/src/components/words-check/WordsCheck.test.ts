import { expect, it } from "vitest"
import { accountDouble, settled, show, words } from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import { randomPlaces, WordsCheck } from "./WordsCheck.ts"

const all = words.split(" ")

const open = async () => {
  const step = await show(Object.assign(new WordsCheck(), { words: all }), accountDouble({}))
  let done = 0
  step.addEventListener("kez-next", () => (done += 1))
  return { step, done: () => done }
}

const fields = (step: WordsCheck) => Array.from(step.renderRoot.querySelectorAll<Field>("kez-field"))

const answer = async (step: WordsCheck, change: (word: string, index: number) => string) => {
  for (const [index, field] of fields(step).entries()) {
    field.input.value = change(all[Number(field.dataset["place"])]!, index)
    field.input.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }))
  }
  step.renderRoot.querySelector("form")!.requestSubmit()
  await settled()
}

it("asks for four different places in order", () => {
  for (let round = 0; round < 200; round += 1) {
    const places = randomPlaces(24)
    expect(new Set(places).size).toBe(4)
    expect(places).toEqual([...places].sort((one, other) => one - other))
    expect(places.every((place) => place >= 0 && place < 24)).toBe(true)
  }
})

it("marks the wrong one, goes to it, and does not go on", async () => {
  const { done, step } = await open()
  await answer(step, (word, index) => (index === 2 ? "wrong" : word))
  expect(fields(step).map(({ error }) => error !== "")).toEqual([false, false, true, false])
  expect(step.shadowRoot!.activeElement).toBe(fields(step)[2])
  expect(step.right).toBe(false)
  expect(done()).toBe(0)
})

it("takes the right words, whatever their case, and then goes on", async () => {
  const { done, step } = await open()
  await answer(step, (word) => ` ${word.toUpperCase()} `)
  expect(step.right).toBe(true)
  expect(step.typed).toEqual({})
  step.renderRoot.querySelector<HTMLElement>("kez-button[kind=primary]")!.click()
  expect(done()).toBe(1)
})

it("does not have the words in the page", async () => {
  const { step } = await open()
  expect(all.filter((word) => step.shadowRoot!.textContent!.includes(word))).toEqual([])
})
