import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsStorage.ts"
const usage = { persisted: false, usage: 14_200_000, quota: 2_000_000_000, messages: 1204 }
const inbox = {
  mail: { used: 31_400_000, limit: 67_108_864, strangers: { used: 120_000, limit: 8_388_608 } },
  sent: { used: 2_100_000, limit: 33_554_432 }
}

export default {
  element: "kez-settings-storage",
  height: 780,
  states: {
    usage: () => html`<kez-settings-storage server="kez.lat" .usage=${usage} .inbox=${inbox}></kez-settings-storage>`,
    "kept and nearly full": () =>
      html`<kez-settings-storage
        server="kez.lat"
        .usage=${{ ...usage, persisted: true }}
        .inbox=${{ ...inbox, mail: { ...inbox.mail, used: 62_000_000 } }}
        autoTrim
      ></kez-settings-storage>`,
    trimmed: () =>
      html`<kez-settings-storage
        server="kez.lat"
        .usage=${usage}
        .inbox=${{ ...inbox, mail: { ...inbox.mail, used: 0, strangers: { used: 0, limit: 8_388_608 } } }}
        trimmed
      ></kez-settings-storage>`,
    loading: () => html`<kez-settings-storage server="kez.lat"></kez-settings-storage>`,
    failed: () =>
      html`<kez-settings-storage
        server="kez.lat"
        .usage=${usage}
        failed="kez.lat cannot be reached: the connection is closed"
      ></kez-settings-storage>`
  }
} satisfies Story
