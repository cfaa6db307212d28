import type { Proving } from "@kez-chat/sdk/promise"
import { html } from "lit"
import * as Sample from "../../gallery/PersonSample.ts"
import type { Story } from "../../gallery/Story.ts"
import "./SettingsProofs.ts"

const proving: Proving = {
  subject: "dns:example.org",
  step: "publish",
  publication: {
    steps: [
      "Open the DNS settings of example.org.",
      "Add a TXT record for the name _kez.example.org with the text below as its value.",
      "Wait until the record is published; this can take some minutes."
    ],
    text: `kez:z1:${"KLUv_SAgAQEA".repeat(24)}`,
    where: "the TXT records of _kez.example.org"
  }
}

export default {
  element: "kez-settings-proofs",
  height: 1100,
  states: {
    none: () => html`<kez-settings-proofs .claims=${[]}></kez-settings-proofs>`,
    linked: () =>
      html`<kez-settings-proofs .claims=${Sample.claims.slice(0, 4)} recorded="dns:chris.com"></kez-settings-proofs>`,
    publishing: () => html`<kez-settings-proofs .claims=${[]} .provings=${[proving]}></kez-settings-proofs>`,
    looking: () =>
      html`<kez-settings-proofs
        .claims=${[]}
        .provings=${[
          {
            ...proving,
            sentence: "there is no proof: TXT records of _kez.example.org",
            nextCheckAt: Date.parse("2026-11-29T13:58:00")
          }
        ]}
        looking="dns:example.org"
      ></kez-settings-proofs>`,
    "needs the CLI": () => html`<kez-settings-proofs .claims=${[]} needsCli="github:octocat"></kez-settings-proofs>`,
    failed: () =>
      html`<kez-settings-proofs .claims=${[]} failed="the sig-server cannot be reached"></kez-settings-proofs>`
  }
} satisfies Story
