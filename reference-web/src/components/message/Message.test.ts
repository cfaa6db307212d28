import { html, render } from "lit"
import { afterEach, describe, expect, it, vi } from "vitest"
import { chris, message } from "../../gallery/FakeClient.ts"
import "./Message.ts"
import type { Message } from "./Message.ts"

const show = async (text: string): Promise<Message> => {
  render(
    html`<div style="width: 320px">
      <kez-message
        name="chris"
        .message=${message(chris.primary, text)}
        .profile=${(name: string) => (name === "mia" ? "#/p/mia" : undefined)}
      ></kez-message>
    </div>`,
    document.body
  )
  const element = document.querySelector("kez-message")!
  await element.updateComplete
  return element
}

const bubbleOf = (element: Message): HTMLElement => element.shadowRoot!.querySelector<HTMLElement>(".bubble")!

afterEach(() => {
  vi.useRealTimers()
  render(null, document.body)
})

/** What strangers may send. None of it makes elements, leaves its bubble or leads elsewhere than it says. */
const hostile: Readonly<Record<string, string>> = {
  script: "<script>globalThis.pwned = 1</script>",
  markup: '<img src=x onerror="globalThis.pwned = 1"><b>bold</b><!-- &lt; -->',
  "a template": "${globalThis.pwned = 1} {{x}} <slot></slot>",
  "a script link": 'javascript:globalThis.pwned=1 https://x.example/"onmouseover="globalThis.pwned=1',
  "bidi overrides": "\u202Egnp.exe\u202D \u2067rtl\u2066ltr",
  "right to left": "שלום https://kez.lat עולם",
  "control characters": "a\u0000b\u0007c\u001b[31md\u0085e",
  "line separators": "a\u2028b\u2029c\r\nd",
  "40 kB without a space": "a".repeat(40_000),
  "40 kB of a wide letter": "﷽".repeat(13_000),
  "combining marks": `Z${"\u0351\u0321\u035f".repeat(300)}algo`,
  "lone combining marks": "\u0301\u0301\u0301",
  "2,000 links": "https://kez.lat/x ".repeat(2_000),
  "many lines": "\n".repeat(2_000),
  "tags and selectors": "\u{e0041}\u{e0042}\ufe0f\u200d\u200d"
}

describe("kez-message", () => {
  it.each(Object.entries(hostile))("shows %s as text in its bubble", async (_, text) => {
    const element = await show(text)
    const bubble = bubbleOf(element)
    expect(globalThis).not.toHaveProperty("pwned")
    const tags = new Set([...bubble.querySelectorAll("*")].map(({ localName }) => localName))
    expect([...tags].filter((tag) => tag !== "div" && tag !== "a")).toEqual([])
    const kinds = [...bubble.querySelectorAll("a")].map(({ protocol, rel, target }) => `${protocol} ${rel} ${target}`)
    expect(kinds.filter((kind) => !/^https?: noopener noreferrer _blank$/.test(kind))).toEqual([])
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(innerWidth)
    expect(bubble.scrollWidth).toBeLessThanOrEqual(bubble.clientWidth + 1)
    expect(getComputedStyle(bubble).overflow).toBe("clip")
    expect(getComputedStyle(bubble.querySelector(".text")!).unicodeBidi).toBe("plaintext")
  })

  it("links names of contacts and no others", async () => {
    const bubble = bubbleOf(await show("@mia and @nobody"))
    const links = [...bubble.querySelectorAll("a")].map((link) => [link.textContent, link.getAttribute("href")])
    expect(links).toEqual([["@mia", "#/p/mia"]])
  })

  it("offers to report what somebody of the own home wrote, and nothing else", async () => {
    const element = await show("Buy gold")
    const reported: Array<string> = []
    element.addEventListener("kez-report", ({ detail }) => reported.push(detail.text))
    const buttons = () => [...element.shadowRoot!.querySelectorAll("kez-button")].map((one) => one.textContent?.trim())
    element.shadowRoot!.querySelector<HTMLButtonElement>(".info")!.click()
    await element.updateComplete
    expect(buttons()).toEqual([])
    element.reportable = true
    await element.updateComplete
    expect(buttons()).toEqual(["Report"])
    element.shadowRoot!.querySelector("kez-button")!.click()
    expect(reported).toEqual(["Buy gold"])
    const own = message(chris.primary, "Mine", { state: "stored" })
    element.message = own
    await element.updateComplete
    element.shadowRoot!.querySelector<HTMLButtonElement>(".info")!.click()
    await element.updateComplete
    expect(buttons()).toEqual([])
  })

  it("says a state's sentence on demand", async () => {
    const element = await show("Hello")
    element.message = message(chris.primary, "Hello", { state: "stored" })
    element.server = "kez.lat"
    await element.updateComplete
    const info = element.shadowRoot!.querySelector<HTMLButtonElement>(".info")!
    expect(info.textContent).toContain("Sent")
    info.click()
    await element.updateComplete
    expect(element.shadowRoot!.querySelector(".sentence")?.textContent).toContain(
      "Stored at kez.lat until chris’s device fetches it."
    )
    expect(info.ariaExpanded).toBe("true")
  })

  it("says after two seconds that a message waits", async () => {
    const element = await show("x")
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
    element.message = message(chris.primary, "Hello", { state: "queued", arrivedAt: Date.now() })
    await element.updateComplete
    const info = element.shadowRoot!.querySelector(".info")!
    vi.advanceTimersByTime(1_900)
    await element.updateComplete
    expect(info.textContent).not.toContain("Waiting")
    vi.advanceTimersByTime(200)
    await element.updateComplete
    expect(info.textContent).toContain("Waiting")
  })
})
