import { afterEach, beforeEach, expect, it, vi } from "vitest"
import {
  accountDouble,
  appears,
  find,
  passphrase,
  press,
  setPassphrase,
  settled,
  show,
  textOf,
  type,
  words
} from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { SignUp } from "./SignUp.ts"

beforeEach(() => localStorage.clear())
afterEach(() => document.body.replaceChildren())

const click = async (selector: string) => press(await appears(selector))

const primary = "kez-button[kind=primary]:not([disabled])"

const open = async (calls: Partial<WebAccount>) => {
  const held: Array<boolean> = []
  const flow = new SignUp()
  flow.addEventListener("kez-held", (event) => held.push(event.detail))
  await show(flow, accountDouble(calls))
  return { flow, held }
}

/** From the name to the passphrase. */
const toPassphrase = async () => {
  await type(await appears<Field>("kez-field"), "chris")
  return toWords()
}

/** From the complete first step to the passphrase. */
const toWords = async () => {
  await click(primary)
  await appears("kez-words-intro")
  await click(primary)
  await appears("kez-words-step")
  // The first one shows the words, the second goes on.
  await click(primary)
  await press(find("kez-words-step")!.shadowRoot!.querySelector("kez-button[kind=primary]")!)
  const check = await appears("kez-words-check")
  await settled()
  for (const field of check.shadowRoot!.querySelectorAll<Field>("kez-field"))
    await type(field, words.split(" ")[Number(field.dataset["place"])]!)
  check.shadowRoot!.querySelector("form")!.requestSubmit()
  await settled()
  await click(primary)
  return appears("kez-new-passphrase")
}

it("goes from a name to an account and keeps no secret", async () => {
  const created: Array<unknown> = []
  const { held } = await open({
    async *create(options) {
      created.push(options)
      yield "sealed"
      yield "registered"
      yield "published"
    }
  })
  await toPassphrase()
  expect(localStorage.getItem("kez-chat/name")).toBe("chris")
  await setPassphrase()
  await appears("kez-ready")
  expect(created).toEqual([{ handle: "chris", words, passphrase }])
  expect(held).toEqual([true])
  expect(textOf()).toContain("Write to me: chris@kez.lat")
  expect(textOf()).not.toContain("whisper")
  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toMatch(/whisper|paper moon/)
  expect(localStorage.getItem("kez-chat/name")).toBeNull()
  expect(Number(localStorage.getItem("kez-chat/words-checked"))).toBeGreaterThan(0)
  await click(primary)
  expect(held).toEqual([true, false])
  expect(location.hash).toBe("#/new")
})

it("tries a failed step again with the same words and passphrase", async () => {
  const created: Array<unknown> = []
  await open({
    async *create(options) {
      created.push(options)
      yield "sealed"
      if (created.length === 1) throw new Error("kez.lat cannot be reached")
      yield "registered"
      yield "published"
    }
  })
  await toPassphrase()
  await setPassphrase()
  await appears("kez-creating")
  await click("kez-note kez-button")
  await appears("kez-ready")
  expect(created[1]).toEqual(created[0])
})

it.each([
  ["handle_taken", "Somebody took the name"],
  ["handle_reserved", "kez.lat does not give this name to anybody"]
])("asks for another name after %s, and keeps the words", async (code, sentence) => {
  const created: Array<{ readonly handle: string; readonly words: string }> = []
  await open({
    async *create(options) {
      created.push(options)
      yield "sealed"
      if (created.length === 1) throw Object.assign(new Error("refused"), { _tag: "Problem", code })
      yield "registered"
      yield "published"
    }
  })
  await toPassphrase()
  await setPassphrase()
  await appears("kez-note")
  expect(textOf()).toContain(sentence)
  await click("kez-note kez-button")
  await type((await appears<Element>("kez-name-step")).shadowRoot!.querySelector<Field>("kez-field")!, "chris-2")
  await click(primary)
  await appears("kez-ready")
  expect(created.map(({ handle }) => handle)).toEqual(["chris", "chris-2"])
  expect(created[1]!.words).toBe(words)
})

/** A home whose description says this. */
const described = (description: object) =>
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response(JSON.stringify(description)))

it("KEZ-REG-058 asks for an invite where the home does, shows what its operator publishes, and takes another one", async () => {
  const operator = { terms: "https://kez.lat/terms", contact: "mailto:abuse@kez.lat", privacy: "javascript:alert(1)" }
  const fetched = described({ registration: "invite", operator })
  const created: Array<{ readonly invite?: string }> = []
  await open({
    async *create(options) {
      created.push(options)
      yield "sealed"
      if (created.length === 1) throw Object.assign(new Error("refused"), { _tag: "Problem", code: "invite_invalid" })
      yield "registered"
      yield "published"
    }
  })
  const step = await appears<Element>("kez-name-step")
  await appears(".invite")
  const field = (selector: string) => step.shadowRoot!.querySelector<Field>(selector)!
  const links = [...step.shadowRoot!.querySelectorAll("a")].map((link) => link.getAttribute("href"))
  expect(links).toEqual(["https://kez.lat/terms", "mailto:abuse@kez.lat"])
  await type(field("kez-field[name=username]"), "chris")
  await appears(".free")
  expect(find(primary)).toBeUndefined()
  await type(field(".invite"), " k4x7 ")
  await toWords()
  await setPassphrase()
  await appears("kez-note")
  expect(textOf()).toContain("does not accept this invite")
  await click("kez-note kez-button")
  await appears(".invite")
  await type(find<Field>(".invite")!, "other")
  await click(primary)
  await appears("kez-ready")
  expect(created.map(({ invite }) => invite)).toEqual(["k4x7", "other"])
  fetched.mockRestore()
})

it("does not go on at a home that is closed", async () => {
  const fetched = described({ registration: "closed" })
  await open({})
  await type(await appears<Field>("kez-field"), "chris")
  await appears("kez-name-step kez-note, kez-note")
  expect(textOf()).toContain("kez.lat takes no new accounts.")
  expect(find(primary)).toBeUndefined()
  fetched.mockRestore()
})

it("keeps a chosen name for the next visit, and suggests free ones for a taken one", async () => {
  const taken = async (name: string) => (name === "chris" ? ("taken" as const) : ("free" as const))
  await open({ handleStatus: taken })
  await type(await appears<Field>("kez-field"), "Chris")
  await click(".said kez-button")
  expect(localStorage.getItem("kez-chat/name")).toBe("chris-1")
  await open({ handleStatus: taken })
  await appears(primary)
  expect(find<Field>("kez-field")!.value).toBe("chris-1")
})

it("says when names may be tried again after too many", async () => {
  const limitedUntil = new Date(2026, 10, 29, 14, 5).getTime()
  await open({ handleStatus: async () => ({ limitedUntil }) })
  await type(await appears<Field>("kez-field"), "chris")
  await appears(".said.no")
  expect(textOf()).toContain("Try again at 14:05.")
  expect(find(primary)).toBeUndefined()
})

it("moves the focus to each step's heading", async () => {
  await open({})
  await type(await appears<Field>("kez-field"), "chris")
  await click(primary)
  const intro = await appears("kez-words-intro")
  await settled()
  expect(intro.shadowRoot!.activeElement?.localName).toBe("h1")
})
