import type { KezChatClient, Message, ReportOptions, ReportOutcome } from "@kez-chat/sdk/promise"
import { html, render } from "lit"
import { afterEach, describe, expect, it, vi } from "vitest"
import { chris, fakeClient, message, person } from "../../gallery/FakeClient.ts"
import "./Report.ts"
import type { Report } from "./Report.ts"

const messages = [
  message(chris.primary, "Hello"),
  message(chris.primary, "an answer", { state: "delivered" }),
  message(chris.primary, "Buy gold"),
  message(chris.primary, "later")
]
const reported = () =>
  vi.fn(async (options: ReportOptions): Promise<ReportOutcome> => ({
    id: "r1",
    proven: options.messages ?? [],
    unprovable: []
  }))

const show = async (calls: Partial<KezChatClient>, about = messages[2]): Promise<Report> => {
  render(
    html`<kez-report name="chris" server="kez.lat" .client=${fakeClient({ messages, calls })}></kez-report>`,
    document.body
  )
  const element = document.querySelector("kez-report")!
  void element.begin(chris, about)
  await expect.poll(() => boxes(element).length).toBeGreaterThan(2)
  return element
}

const dana = person("dana@kez.lat", "0c")
const title = (element: Report) => element.shadowRoot!.querySelector("kez-dialog")!.heading
const textOf = (element: Report) => element.shadowRoot!.textContent

const boxes = (element: Report) => [...element.shadowRoot!.querySelectorAll<HTMLInputElement>("input[type=checkbox]")]
const labels = (element: Report) =>
  boxes(element).map((box) => [box.closest("label")!.querySelector("bdi")?.textContent, box.checked])
const sendButton = (element: Report) => [...element.shadowRoot!.querySelectorAll("kez-button")].at(-1)!
const choose = async (element: Report, reason: string) => {
  const choice = element.shadowRoot!.querySelector("kez-choice")!
  choice.value = reason
  choice.dispatchEvent(new Event("change"))
  await element.updateComplete
}

afterEach(() => render(null, document.body))

describe("kez-report", () => {
  it("KEZ-RPT-004 discloses the messages that the person chose, and no others", async () => {
    const report = reported()
    const element = await show({ report })
    // What the person began with is chosen; own messages and later ones are not offered.
    expect(labels(element)).toEqual([
      ["Buy gold", true],
      ["Hello", false],
      [undefined, false]
    ])
    expect(sendButton(element).disabled).toBe(true)
    await choose(element, "spam")
    element.shadowRoot!.querySelector("textarea")!.value = " every day "
    sendButton(element).click()
    await expect.poll(() => element.shadowRoot!.textContent).toContain("The operator has your report.")
    expect(report.mock.calls).toEqual([
      [{ who: chris.primary, reason: "spam", note: "every day", messages: [messages[2]!.id] }]
    ])
  })

  it("can be sent without any message", async () => {
    const report = reported()
    const element = await show({ report })
    boxes(element)[0]!.click()
    await choose(element, "impersonation")
    sendButton(element).click()
    await expect.poll(() => report.mock.calls[0]?.[0].messages).toEqual([])
  })

  it("blocks as well where that is asked for, and says if it could not", async () => {
    const block = vi.fn(() => Promise.reject(new Error("no connection")))
    const element = await show({ report: reported(), block })
    boxes(element).at(-1)!.click()
    await choose(element, "abuse")
    sendButton(element).click()
    await expect.poll(() => element.shadowRoot!.textContent).toContain("chris is not blocked: no connection")
    expect(element.shadowRoot!.textContent).toContain("The operator has your report.")
    expect(block.mock.calls).toEqual([[chris.primary]])
  })

  it("keeps what was entered when it cannot be sent, and blocks nobody", async () => {
    const refused = Object.assign(new Error("x"), { _tag: "Problem", code: "rate_limited", detail: "too many reports" })
    const block = vi.fn(async () => chris)
    const element = await show({ report: () => Promise.reject(refused), block })
    boxes(element).at(-1)!.click()
    await choose(element, "other")
    element.shadowRoot!.querySelector("textarea")!.value = "a note"
    sendButton(element).click()
    await expect.poll(() => element.shadowRoot!.textContent).toContain("That did not work: too many reports")
    expect(element.shadowRoot!.querySelector("textarea")!.value).toBe("a note")
    expect(sendButton(element).busy).toBe(false)
    expect(block).not.toHaveBeenCalled()
  })

  it("begins anew when it is opened again", async () => {
    const element = await show({ report: reported() })
    await choose(element, "spam")
    sendButton(element).click()
    await expect.poll(() => element.shadowRoot!.textContent).toContain("The operator has your report.")
    sendButton(element).click()
    await element.updateComplete
    expect(element.shadowRoot!.querySelector("kez-dialog")!.open).toBe(false)
    void element.begin(chris, messages[2])
    await expect.poll(() => labels(element)[0]).toEqual(["Buy gold", true])
    expect(element.shadowRoot!.querySelector("kez-choice")!.value).toBe("")
  })

  it.each([
    [
      "an answer",
      (settle: PromiseWithResolvers<ReportOutcome>) => settle.resolve({ id: "r1", proven: [], unprovable: [] })
    ],
    ["an error", (settle: PromiseWithResolvers<ReportOutcome>) => settle.reject(new Error("no connection"))]
  ])("says nothing of %s that is to an earlier report", async (_, settle) => {
    const first = Promise.withResolvers<ReportOutcome>()
    const report = reported().mockReturnValueOnce(first.promise)
    const block = vi.fn(() => Promise.reject(new Error("no connection")))
    const element = await show({ report, block })
    boxes(element).at(-1)!.click()
    await choose(element, "spam")
    sendButton(element).click()
    await expect.poll(() => sendButton(element).busy).toBe(true)
    element.shadowRoot!.querySelector("kez-button")!.click()
    await element.updateComplete
    element.name = "dana"
    await element.begin(dana)
    await choose(element, "abuse")
    expect(sendButton(element).busy).toBe(false)
    settle(first)
    // As often as a promise of the report may wait.
    for (let turn = 0; turn < 10; turn++) await element.updateComplete
    expect(textOf(element)).not.toContain("The operator has your report.")
    expect(textOf(element)).not.toContain("no connection")
    sendButton(element).click()
    await expect.poll(() => textOf(element)).toContain("The operator has your report.")
    expect(report.mock.calls.map(([{ who }]) => who)).toEqual([chris.primary, dana.primary])
  })

  it("offers the messages of the one that it was opened with last", async () => {
    const pages: Array<PromiseWithResolvers<ReadonlyArray<Message>>> = []
    const history = () => {
      const page = Promise.withResolvers<ReadonlyArray<Message>>()
      pages.push(page)
      return page.promise
    }
    render(html`<kez-report .client=${fakeClient({ calls: { history } })}></kez-report>`, document.body)
    const element = document.querySelector("kez-report")!
    const earlier = element.begin(chris, messages[0])
    const later = element.begin(chris, messages[2])
    pages[1]!.resolve(messages.slice(0, 3))
    await later
    pages[0]!.resolve(messages.slice(0, 1))
    await earlier
    await element.updateComplete
    expect(labels(element).slice(0, 2)).toEqual([
      ["Buy gold", true],
      ["Hello", false]
    ])
  })

  it("keeps its name where the page goes on to somebody else", async () => {
    const element = await show({ report: reported() })
    const before = title(element)
    element.name = "dana"
    await element.updateComplete
    expect(title(element)).toBe(before)
    expect(textOf(element)).not.toContain("dana")
  })
})
