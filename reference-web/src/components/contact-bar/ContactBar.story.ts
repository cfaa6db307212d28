import type { Contact } from "@kez-chat/sdk/promise"
import { html } from "lit"
import { chris, person } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./ContactBar.ts"

const key = `ed25519:${"5c".repeat(32)}`

const bar = (more: Partial<Contact>) => () =>
  html`<kez-contact-bar
    name="chris"
    server="kez.lat"
    .contact=${{ ...chris, ...more }}
    ?kept=${more.kept === true}
  ></kez-contact-bar>`

export default {
  element: "kez-contact-bar",
  states: {
    request: () =>
      html`<kez-contact-bar
        name="oskar"
        server="kez.lat"
        reportable
        .contact=${person("oskar@kez.lat", "3e", { state: "requested" })}
      ></kez-contact-bar>`,
    blocked: bar({ state: "blocked" }),
    "another key": bar({ state: "changed", offered: { primary: key, origin: "unexplained" } }),
    "handed over": bar({ state: "changed", offered: { primary: key, origin: "handed_over" } }),
    "chain rolled back": bar({
      state: "changed",
      warning: "The sigchain of chris is shorter than it was when this device last saw it."
    }),
    "kept key": bar({ kept: true })
  }
} satisfies Story
