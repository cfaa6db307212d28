import { html } from "lit"
import type { Story } from "../../gallery/Story.ts"
import "./BrokenScreen.ts"

export default {
  element: "kez-broken-screen",
  height: 780,
  states: {
    "not https": () =>
      html`<kez-broken-screen
        .broken=${{ _tag: "broken", reason: "insecure", detail: "" } as const}
      ></kez-broken-screen>`,
    "keeps nothing": () =>
      html`<kez-broken-screen
        .broken=${{ _tag: "broken", reason: "no_storage", detail: "InvalidStateError: the database did not open" } as const}
      ></kez-broken-screen>`,
    "too old": () =>
      html`<kez-broken-screen
        .broken=${{ _tag: "broken", reason: "too_old", detail: "" } as const}
      ></kez-broken-screen>`,
    damaged: () =>
      html`<kez-broken-screen
        .broken=${{ _tag: "broken", reason: "damaged", detail: "the vault record fails its checksum" } as const}
      ></kez-broken-screen>`,
    full: () =>
      html`<kez-broken-screen .broken=${{ _tag: "broken", reason: "full", detail: "" } as const}></kez-broken-screen>`,
    "not started": () =>
      html`<kez-broken-screen
        .broken=${{ _tag: "broken", reason: "not_started", detail: "" } as const}
      ></kez-broken-screen>`,
    newer: () =>
      html`<kez-broken-screen .broken=${{ _tag: "broken", reason: "newer", detail: "" } as const}></kez-broken-screen>`
  }
} satisfies Story
