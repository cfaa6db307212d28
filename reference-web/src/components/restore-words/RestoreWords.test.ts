import { expect, it } from "vitest"
import { accountDouble, settled, show, words } from "../../../test/kit/AccountDouble.ts"
import { RestoreWords, wordsOf } from "./RestoreWords.ts"

const inputs = (step: RestoreWords) => Array.from(step.renderRoot.querySelectorAll("input"))
const values = (step: RestoreWords) => inputs(step).map(({ value }) => value)

const paste = async (step: RestoreWords, index: number, text: string) => {
  const clipboardData = new DataTransfer()
  clipboardData.setData("text", text)
  inputs(step)[index]!.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData, bubbles: true, composed: true, cancelable: true })
  )
  await settled()
}

const open = () => show(new RestoreWords(), accountDouble({}))

const entered = (step: RestoreWords): Array<string> => {
  const texts: Array<string> = []
  step.addEventListener("kez-words", (event) => texts.push(event.detail))
  return texts
}

it("reads words out of a numbered list", () => {
  expect(wordsOf("1. Ocean\n2. bread,\t3) kitten")).toEqual(["ocean", "bread", "kitten"])
})

it("takes all words pasted into any field", async () => {
  const step = await open()
  await paste(step, 5, words)
  expect(values(step)).toEqual(words.split(" "))
})

it("fills from the field on when a part is pasted", async () => {
  const step = await open()
  await paste(step, 3, "one two three")
  expect(values(step).slice(2, 7)).toEqual(["", "one", "two", "three", ""])
})

it("leaves a single pasted word to the browser", async () => {
  const step = await open()
  await paste(step, 0, "ocean")
  expect(values(step)[0]).toBe("")
})

it("accepts 12 words, and nothing between 12 and 24", async () => {
  const step = await open()
  const texts = entered(step)
  const twelve = words.split(" ").slice(0, 12).join(" ")
  await paste(step, 0, twelve)
  step.renderRoot.querySelector("form")!.requestSubmit()
  expect(texts).toEqual([twelve])
  await paste(step, 12, "one two")
  step.renderRoot.querySelector("form")!.requestSubmit()
  expect(texts).toHaveLength(1)
})

it("drops what was there when a whole account is pasted", async () => {
  const step = await open()
  await paste(step, 0, words)
  await paste(step, 0, words.split(" ").slice(0, 12).join(" "))
  expect(values(step).slice(12)).toEqual(Array.from({ length: 12 }, () => ""))
})

it("goes to the unknown word, and takes a suggestion", async () => {
  const step = await open()
  await paste(step, 0, words.replace("window", "windwo"))
  step.found = { ok: false, reason: "word", count: 24, index: 6, suggestions: ["window"] }
  await settled()
  expect(step.shadowRoot!.activeElement).toBe(inputs(step)[6])
  step.renderRoot.querySelector<HTMLElement>("kez-note kez-button")!.click()
  await settled()
  expect(values(step)).toEqual(words.split(" "))
  expect(step.found).toBeUndefined()
})

it("moves with blank, Enter and Backspace", async () => {
  const step = await open()
  const press = (index: number, key: string) =>
    inputs(step)[index]!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))
  const first = inputs(step)[0]!
  first.focus()
  first.value = "ocean"
  first.dispatchEvent(new InputEvent("input", { bubbles: true }))
  await settled()
  first.setSelectionRange(5, 5)
  press(0, " ")
  expect(step.shadowRoot!.activeElement).toBe(inputs(step)[1])
  press(1, "Backspace")
  expect(step.shadowRoot!.activeElement).toBe(first)
  press(0, "Enter")
  expect(step.shadowRoot!.activeElement).toBe(inputs(step)[1])
})
