import type { Rotation } from "@kez-chat/sdk/promise"
import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsRotate.ts"

const rotation = (step: Rotation["step"]): Rotation => ({
  handle: "maria@kez.lat",
  from: Sample.account.primary,
  to: Sample.otherPrimary,
  step
})

export default {
  element: "kez-settings-rotate",
  height: 900,
  states: {
    before: () => html`<kez-settings-rotate server="kez.lat"></kez-settings-rotate>`,
    "under way": () =>
      html`<kez-settings-rotate server="kez.lat" .rotation=${rotation("published")} busy></kez-settings-rotate>`,
    failed: () =>
      html`<kez-settings-rotate
        server="kez.lat"
        .rotation=${rotation("rotated")}
        failed="https://kez.lat cannot be used: the connection was refused"
      ></kez-settings-rotate>`,
    finished: () =>
      html`<kez-settings-rotate server="kez.lat" .rotation=${rotation("finished")}></kez-settings-rotate>`,
    moved: () => html`<kez-settings-rotate server="kez.lat" movedTo=${Sample.otherPrimary}></kez-settings-rotate>`
  }
} satisfies Story
