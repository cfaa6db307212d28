import type { KezChatClient } from "@kez-chat/sdk/promise"
import { beforeEach, expect, it, vi } from "vitest"
import { accountDouble, appears, find, press, settled, show, textOf, type } from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import { App } from "../../shell/App.ts"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"
import "../unlock/UnlockScreen.ts"
import { WelcomeScreen } from "./WelcomeScreen.ts"

beforeEach(() => localStorage.clear())

it("keeps name and words while the person looks at the first screen again", async () => {
  let made = 0
  const newWords = async () => Array.from({ length: 24 }, (_, index) => `w${(made += 1)}x${index}`).join(" ")
  await show(new WelcomeScreen(), accountDouble({ newWords }))
  const welcome = () => appears<HTMLElement>("kez-welcome")
  await press((await welcome()).shadowRoot!.querySelector("kez-button")!)
  await type(await appears<Field>("kez-field"), "chris")
  await press(await appears("kez-button[kind=primary]:not([disabled])"))
  await press((await appears("kez-words-intro")).shadowRoot!.querySelector("kez-button[kind=primary]")!)
  const step = await appears<HTMLElement & { readonly words: ReadonlyArray<string> }>("kez-words-step")
  const words = await vi.waitFor(() => {
    expect(step.words).toHaveLength(24)
    return step.words
  })
  for (const before of ["kez-words-step", "kez-words-intro", "kez-name-step"])
    await press((await appears(before)).shadowRoot!.querySelector("kez-button.back")!)
  await press((await welcome()).shadowRoot!.querySelector("kez-button")!)
  await press(find("kez-name-step")!.shadowRoot!.querySelector("kez-button[type=submit]")!)
  await press((await appears("kez-words-intro")).shadowRoot!.querySelector("kez-button[kind=primary]")!)
  expect((await appears<typeof step>("kez-words-step")).words).toEqual(words)
})

/** The page over an account whose state the test sets. */
const page = async (first: AccountState, calls: Partial<WebAccount>) => {
  let tell: (state: AccountState) => void = () => {}
  const account = accountDouble({
    state: first,
    async *states() {
      yield first
      for (;;) yield await new Promise<AccountState>((resolve) => (tell = resolve))
    },
    client: { account: async () => ({}), async *connection() {}, async *catchingUp() {} } as unknown as KezChatClient,
    ...calls
  })
  await show(Object.assign(new App(), { account }), account)
  return { tell: (state: AccountState) => tell(state) }
}

it("stays on the page until it is done, whatever the account's state", async () => {
  const { tell } = await page({ _tag: "empty" }, {})
  const screen = await appears("kez-welcome-screen")
  const hold = (detail: boolean) => screen.dispatchEvent(new CustomEvent("kez-held", { detail, bubbles: true }))
  hold(true)
  tell({ _tag: "opening", handle: "chris@kez.lat" })
  await settled()
  tell({ _tag: "open", handle: "chris@kez.lat", primary: "ed25519:3f", slots: [] })
  await settled()
  expect(screen.isConnected).toBe(true)
  hold(false)
  await vi.waitFor(() => expect(screen.isConnected).toBe(false))
})

it("tells of a wrong passphrase although the account was opening in between", async () => {
  const locked = { _tag: "locked", handle: "chris@kez.lat", primary: "ed25519:3f", slots: [] } as const
  const { tell } = await page(locked, {
    unlock: async () => {
      tell({ _tag: "opening", handle: "chris@kez.lat" })
      await settled()
      tell({ ...locked })
      throw Object.assign(new Error("wrong"), { _tag: "VaultError", reason: "wrong_passphrase" })
    }
  })
  const form = (await appears("kez-unlock-form")).shadowRoot!
  await type(form.querySelector<Field>("kez-field")!, "paper moon lamp")
  form.querySelector("form")!.requestSubmit()
  await vi.waitFor(() => expect(textOf()).toContain("This is not the passphrase."))
  await settled()
  expect(textOf()).toContain("This is not the passphrase.")
})
