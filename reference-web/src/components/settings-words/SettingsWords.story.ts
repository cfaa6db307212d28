import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsWords.ts"
const words =
  "ocean bread kitten silver ladder pepper window thunder basket velvet orange tunnel mirror candle forest button garden whisper anchor marble lemon rocket pillow title".split(
    " "
  )
const slots = [
  { kind: "passphrase" },
  { kind: "passkey", credentialId: new Uint8Array(16), prfSalt: new Uint8Array(32) }
] as const

export default {
  element: "kez-settings-words",
  height: 780,
  states: {
    overview: () =>
      html`<kez-settings-words
        handle="chris@kez.lat"
        passkeys
        .checkedAt=${1795946400000}
        .slots=${slots}
      ></kez-settings-words>`,
    "words shown": () =>
      html`<kez-settings-words
        handle="chris@kez.lat"
        .words=${words}
        .checkedAt=${1795946400000}
      ></kez-settings-words>`,
    "changing the passphrase": () =>
      html`<kez-settings-words handle="chris@kez.lat" asking="passphrase"></kez-settings-words>`,
    "passphrase wrong": () =>
      html`<kez-settings-words
        handle="chris@kez.lat"
        asking="passphrase"
        failed="This is not the passphrase."
      ></kez-settings-words>`,
    "passphrase changed": () =>
      html`<kez-settings-words
        handle="chris@kez.lat"
        done="changePassphrase"
        passkeys
        .slots=${slots}
      ></kez-settings-words>`,
    "no passkeys": () => html`<kez-settings-words handle="chris@kez.lat" .slots=${[]}></kez-settings-words>`
  }
} satisfies Story
