import type { Account, KezChatClient } from "@kez-chat/sdk/promise"
import { beforeEach, expect, it } from "vitest"
import {
  accountDouble,
  appears,
  find,
  passphrase,
  press,
  says,
  setPassphrase,
  settled,
  show,
  textOf,
  type,
  words
} from "../../../test/kit/AccountDouble.ts"
import type { Field } from "../../elements/field/Field.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import { Restore } from "./Restore.ts"

beforeEach(() => localStorage.clear())

const open = async (calls: Partial<WebAccount>) => {
  await show(new Restore(), accountDouble({ checkWords: async (text) => ({ ok: true, words: text }), ...calls }))
  const step = await appears("kez-restore-words")
  Object.assign(step, { words: words.split(" ") })
  await settled()
  step.shadowRoot!.querySelector("form")!.requestSubmit()
}

const comeBack = async () => {
  await setPassphrase()
  return appears("kez-restored")
}

it("brings an account back, shows how far, and keeps no secret", async () => {
  const restored: Array<unknown> = []
  const client = {
    async *catchingUp() {
      yield { taken: 3120, of: 10000 }
    }
  }
  await open({
    client: client as unknown as KezChatClient,
    restore: async (options) => {
      restored.push(options)
      return { handle: "chris@kez.lat" } as Account
    }
  })
  await comeBack()
  await says("Bringing back messages: 3,120 of 10,000")
  expect(restored).toEqual([{ words, passphrase }])
  expect(textOf()).toContain("chris@kez.lat is back.")
  expect(textOf()).not.toMatch(/whisper|paper moon/)
})

it("names what is wrong with the words", async () => {
  await open({ checkWords: async () => ({ ok: false, reason: "checksum", count: 24 }) })
  await says("together they do not fit")
})

it("offers a name when the key has none, with the same words", async () => {
  const created: Array<unknown> = []
  await open({
    restore: async () => {
      throw Object.assign(new Error("no such handle"), { _tag: "Problem", code: "handle_not_found" })
    },
    async *create(options) {
      created.push(options)
      yield "published"
    }
  })
  await comeBack()
  await says("No name belongs to these words.")
  await press(find("kez-button[kind=primary]")!)
  const step = await appears("kez-name-step")
  await settled()
  await type(step.shadowRoot!.querySelector<Field>("kez-field")!, "chris")
  await press(await appears("kez-button[kind=primary]:not([disabled])"))
  await appears("kez-ready")
  expect(created).toEqual([{ handle: "chris", words, passphrase }])
})

it("keeps the words when the server cannot be reached", async () => {
  await open({
    restore: async () => {
      throw new Error("kez.lat cannot be reached")
    }
  })
  await comeBack()
  await says("kez.lat cannot be reached")
  await press(find("kez-button.back")!)
  const step = await appears("kez-restore-words")
  await settled()
  expect(step.shadowRoot!.querySelector("input")?.value).toBe("ocean")
})
