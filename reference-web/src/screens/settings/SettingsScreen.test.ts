import type { KezChatClient } from "@kez-chat/sdk/promise"
import { beforeEach, expect, it, vi } from "vitest"
import {
  accountDouble,
  appears,
  find,
  passphrase,
  press,
  says,
  settled,
  show,
  textOf,
  type,
  words
} from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"
import { SettingsScreen } from "./SettingsScreen.ts"

beforeEach(() => localStorage.clear())

const state: AccountState = { _tag: "open", handle: "chris@kez.lat", primary: `ed25519:${"3f".repeat(32)}`, slots: [] }

const open = (section: string, calls: Partial<WebAccount>, client: Partial<KezChatClient>) =>
  show(
    Object.assign(new SettingsScreen(), { section }),
    accountDouble({
      state,
      storage: async () => ({ persisted: false, messages: 1204 }),
      ...calls,
      client: client as KezChatClient
    })
  )

const button = (label: string, root: ParentNode): Element => {
  const found = Array.from(root.querySelectorAll("kez-button")).find((each) => each.textContent!.trim() === label)
  if (found === undefined) throw new Error(`there is no ${label}`)
  return found
}

it("shows the words only after the passphrase, and forgets them when the page is left", async () => {
  const screen = await open(
    "words",
    {
      revealWords: async (secret) => {
        if ("passphrase" in secret && secret.passphrase === passphrase) return words
        throw Object.assign(new Error("wrong"), { _tag: "VaultError", reason: "wrong_passphrase" })
      }
    },
    {}
  )
  const part = find("kez-settings-words")!.shadowRoot!
  await press(button("Show them", part))
  const dialog = part.querySelector("kez-passphrase-dialog")!.shadowRoot!
  const field = dialog.querySelector<Field>("kez-field")!
  await vi.waitFor(() => expect(dialog.activeElement).toBe(field))
  await type(field, "a wrong one")
  await press(button("Continue", dialog))
  await says("This is not the passphrase.")
  expect(textOf()).not.toContain("whisper")
  await type(field, passphrase)
  await press(button("Continue", dialog))
  await says("whisper")
  expect(textOf()).not.toContain("paper moon")
  dispatchEvent(new PageTransitionEvent("pagehide"))
  await settled()
  expect(textOf()).not.toContain("whisper")
  expect(screen.isConnected).toBe(true)
})

it("asks for the passphrase before the words are checked, too", async () => {
  await open("words", { revealWords: async () => words }, {})
  const part = find("kez-settings-words")!.shadowRoot!
  await press(button("Check my paper", part))
  const dialog = part.querySelector("kez-passphrase-dialog")!.shadowRoot!
  expect(find("kez-words-check")).toBeUndefined()
  await type(dialog.querySelector<Field>("kez-field")!, passphrase)
  await press(button("Continue", dialog))
  await vi.waitFor(() => expect(find("kez-words-check")).toBeDefined())
})

it("changes a setting, and takes it back when it could not be stored", async () => {
  const settings = {
    readReceipts: false,
    inbox: "everyone",
    provenBy: { systems: [], domains: [] },
    introductions: false,
    autoTrim: false
  } as const
  await open(
    "privacy",
    {},
    {
      settings: async () => settings,
      updateSettings: async () => {
        throw new Error("the disk is full")
      }
    }
  )
  const input = await vi.waitFor(() => find<HTMLInputElement>("input[role=switch]")!)
  input.click()
  await says("the disk is full")
  expect(find<HTMLInputElement>("input[role=switch]")!.checked).toBe(false)
})

it("logs out only after the handle was typed, unless the words were checked within 30 days", async () => {
  const logOut = vi.fn(async () => {})
  await open("danger", { logOut }, {})
  await says("1,204 messages")
  const part = find("kez-settings-danger")!.shadowRoot!
  const asked = async () => {
    await press(button("Log out", part))
    return part.querySelector("kez-confirm-dialog")!.shadowRoot!
  }
  const dialog = await asked()
  await vi.waitFor(() => expect(dialog.activeElement).toBe(dialog.querySelector("kez-field")))
  await type(dialog.querySelector<Field>("kez-field")!, "somebody")
  await press(button("Log out", dialog))
  expect(logOut).not.toHaveBeenCalled()
  await type(dialog.querySelector<Field>("kez-field")!, "Chris@kez.lat")
  await press(button("Log out", dialog))
  expect(logOut).toHaveBeenCalledTimes(1)

  localStorage.setItem("kez-chat/words-checked", String(Date.now()))
  await open("danger", { logOut }, {})
  const again = find("kez-settings-danger")!.shadowRoot!
  await press(button("Log out", again))
  await press(button("Log out", again.querySelector("kez-confirm-dialog")!.shadowRoot!))
  expect(logOut).toHaveBeenCalledTimes(2)
})

it("keeps the theme, and shows it at once", async () => {
  await open("appearance", {}, {})
  const radios = (await appears("kez-choice")).shadowRoot!.querySelectorAll("input")
  radios[2]!.click()
  expect(document.documentElement.dataset["theme"]).toBe("dark")
  expect(localStorage.getItem("kez-chat/theme")).toBe("dark")
  radios[0]!.click()
  expect(document.documentElement.dataset["theme"]).toBeUndefined()
  expect(localStorage.getItem("kez-chat/theme")).toBeNull()
})
