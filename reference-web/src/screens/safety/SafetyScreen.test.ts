import { html, render } from "lit"
import { afterEach, expect, it } from "vitest"
import { fullDate } from "../../model/Moment.ts"
import * as Sample from "../../gallery/PersonSample.ts"
import { withAccount, withClient } from "../../gallery/Provided.ts"
import "./SafetyScreen.ts"

afterEach(() => render(html``, document.body))

const said = async (refreshContact: () => Promise<typeof Sample.contact>) => {
  render(html``, document.body)
  render(
    withAccount(() =>
      withClient(
        {
          account: async () => Sample.account,
          contact: async () => Sample.contact,
          refreshContact,
          verification: async () => Sample.whole
        },
        () => html`<kez-safety-screen who="chris@kez.lat"></kez-safety-screen>`
      )
    ),
    document.body
  )
  const screen = document.querySelector("kez-safety-screen")!
  await expect.poll(() => screen.shadowRoot?.querySelector("kez-safety")).not.toBeNull()
  const safety = screen.shadowRoot!.querySelector("kez-safety")!
  await safety.updateComplete
  return safety.shadowRoot!.textContent
}

const silent = (url: string) => () =>
  Promise.reject(Object.assign(new Error("no answer"), { _tag: "ServerUnreachable", url }))

it("says so when the home server cannot be asked which key it names", async () => {
  const sentence = `kez.lat could not be asked; this is the key known since ${fullDate(Sample.contact.addedAt)}.`
  expect(await said(silent("https://kez.lat"))).toContain(sentence)
  expect(await said(async () => Sample.contact)).not.toContain("could not be asked")
  // Another server that is silent, the one of the chains, keeps nobody from being asked.
  expect(await said(silent("https://sig.kez.lat"))).not.toContain("could not be asked")
})
