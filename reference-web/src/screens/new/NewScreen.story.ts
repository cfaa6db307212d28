import { html } from "lit"
import { act } from "../../gallery/Act.ts"
import { chris, fakeClient, me } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "./NewScreen.ts"

const submitted = (handle: string, addContact: () => Promise<typeof chris>) => {
  const submit = (screen: HTMLElement) => screen.shadowRoot?.querySelector("form")?.requestSubmit()
  return html`<kez-new-screen
    handle=${handle}
    .client=${fakeClient({ contacts: [], calls: { addContact } })}
    ${act(submit)}
  ></kez-new-screen>`
}

const problem = (code: string) => () =>
  Promise.reject(Object.assign(new Error(code), { _tag: "Problem", code, detail: code }))

export default {
  element: "kez-new-screen",
  height: 640,
  states: {
    empty: () => html`<kez-new-screen .client=${fakeClient()}></kez-new-screen>`,
    found: () => submitted("chris", async () => chris),
    self: () => submitted("robin", async () => ({ ...chris, handle: me.handle, primary: me.primary })),
    "no such handle": () => submitted("crhis", problem("handle_not_found")),
    "not a handle": () => submitted("Chris!", problem("handle_malformed")),
    "other server": () => submitted("jonas@other.example", problem("federation_unsupported")),
    unreachable: () =>
      submitted("chris", () => Promise.reject(Object.assign(new Error("x"), { _tag: "ServerUnreachable" }))),
    "rate-limited": () => submitted("chris", problem("rate_limited")),
    looking: () => submitted("chris", () => new Promise(() => undefined))
  }
} satisfies Story
