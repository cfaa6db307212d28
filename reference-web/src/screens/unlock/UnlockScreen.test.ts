import { beforeEach, expect, it, vi } from "vitest"
import { accountDouble, appears, find, press, settled, show, textOf, type } from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { UnlockScreen } from "./UnlockScreen.ts"

beforeEach(() => localStorage.clear())

const locked = {
  _tag: "locked",
  handle: "chris@kez.lat",
  primary: `ed25519:${"3f".repeat(32)}`,
  slots: [{ kind: "passphrase" }]
} as const

const open = async (unlock: WebAccount["unlock"]) => {
  await show(Object.assign(new UnlockScreen(), { locked }), accountDouble({ unlock }))
  return find("kez-unlock-form")!.shadowRoot!
}

const enter = async (form: ShadowRoot, passphrase: string) => {
  await type(form.querySelector<Field>("kez-field")!, passphrase)
  form.querySelector("form")!.requestSubmit()
  await settled()
}

const refused = (reason: string) => async () => {
  throw Object.assign(new Error(reason), { _tag: "VaultError", reason })
}

it("opens with the passphrase and forgets it", async () => {
  const unlock = vi.fn(async () => {})
  await enter(await open(unlock), "paper moon lamp")
  expect(unlock).toHaveBeenCalledExactlyOnceWith({ passphrase: "paper moon lamp" })
  expect(textOf()).not.toContain("paper moon")
})

it("says that it was wrong, and lets the person try again at once", async () => {
  const form = await open(refused("wrong_passphrase"))
  await enter(form, "paper moon lamp")
  await vi.waitFor(() => expect(textOf()).toContain("This is not the passphrase."))
  await settled()
  expect(form.activeElement?.localName).toBe("kez-field")
})

it("tells damage from a wrong passphrase, and leads to the words", async () => {
  const form = await open(refused("damaged"))
  await enter(form, "paper moon lamp")
  await vi.waitFor(() => expect(textOf()).toContain("is damaged"))
  await press(form.querySelector("kez-note kez-button")!)
  await appears("kez-restore-words")
  await press(find("kez-button.back")!)
  await appears("kez-unlock-form")
})
