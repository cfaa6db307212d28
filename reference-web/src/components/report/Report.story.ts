import type { KezChatClient, Message } from "@kez-chat/sdk/promise"
import { html } from "lit"
import { act } from "../../gallery/Act.ts"
import { chris, fakeClient, message, noon } from "../../gallery/FakeClient.ts"
import type { Story } from "../../gallery/Story.ts"
import "../../elements/choice/Choice.ts"
import "./Report.ts"
import type { Report } from "./Report.ts"

const texts = [
  "Buy gold now",
  "Last chance: buy gold at https://gold.example",
  "اشترِ الذهب الآن",
  `<img src=x onerror=alert(1)> \u202Eevil ${"gold".repeat(200)}`
]
const messages = texts.map((text, index) => message(chris.primary, text, { arrivedAt: noon + index * 60_000 }))

const buttonsOf = (element: HTMLElement) => [...element.shadowRoot!.querySelectorAll("kez-button")]
const send = (element: HTMLElement) => {
  const choice = element.shadowRoot!.querySelector("kez-choice")!
  choice.value = "spam"
  choice.dispatchEvent(new Event("change"))
  setTimeout(() => buttonsOf(element).at(-1)?.click(), 20)
}

const report = (
  report: KezChatClient["report"] | undefined,
  then: (element: HTMLElement) => void = () => undefined,
  held: ReadonlyArray<Message> = messages
) =>
  html`<kez-report
    name="chris"
    server="kez.lat"
    .client=${fakeClient({ messages: held, ...(report === undefined ? {} : { calls: { report } }) })}
    ${act((element) => {
      void (element as Report).begin(chris, held.at(-1))
      setTimeout(() => then(element), 20)
    })}
  ></kez-report>`

const unreachable = Object.assign(new Error("kez.lat cannot be reached"), { _tag: "ServerUnreachable" })

export default {
  element: "kez-report",
  height: 780,
  states: {
    "with a message": () => report(undefined),
    "no messages here": () => report(undefined, undefined, []),
    sending: () => report(() => new Promise(() => undefined), send),
    "not sent": () => report(() => Promise.reject(unreachable), send),
    sent: () => report(async () => ({ id: "r1", proven: ["a"], unprovable: [] }), send),
    "sent without one": () => report(async () => ({ id: "r1", proven: [], unprovable: ["a"] }), send)
  }
} satisfies Story
