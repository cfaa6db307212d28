import type { FoundAccount } from "@kez-chat/sdk/promise"
import { html } from "lit"
import { act } from "../../gallery/Act.ts"
import { chris, fakeClient, me } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./NewScreen.ts"

const submitted = (handle: string, lookUp: () => Promise<FoundAccount>) => {
  const submit = (screen: HTMLElement) => screen.shadowRoot?.querySelector("form")?.requestSubmit()
  return html`<kez-new-screen
    handle=${handle}
    .client=${fakeClient({ contacts: [], calls: { lookUp } })}
    ${act(submit)}
  ></kez-new-screen>`
}

const stranger: FoundAccount = { handle: chris.handle, primary: chris.primary }

const problem = (code: string) => () =>
  Promise.reject(Object.assign(new Error(code), { _tag: "Problem", code, detail: code }))

export default {
  element: "kez-new-screen",
  height: 640,
  states: {
    empty: () => html`<kez-new-screen .client=${fakeClient()}></kez-new-screen>`,
    found: () => submitted("chris", async () => stranger),
    "in contacts": () => submitted("chris", async () => ({ ...stranger, contact: chris })),
    self: () => submitted("robin", async () => ({ handle: me.handle, primary: me.primary })),
    "no such handle": () => submitted("crhis", problem("handle_not_found")),
    "not a handle": () => submitted("Chris!", problem("handle_malformed")),
    "other server": () => submitted("jonas@other.example", problem("federation_unsupported")),
    unreachable: () =>
      submitted("chris", () => Promise.reject(Object.assign(new Error("x"), { _tag: "ServerUnreachable" }))),
    "rate-limited": () => submitted("chris", problem("rate_limited")),
    looking: () => submitted("chris", () => new Promise(() => undefined))
  }
} satisfies Story
