import { html, render } from "lit"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { setPreference } from "../../controllers/Preferences.ts"
import "./Composer.ts"
import type { Composer } from "./Composer.ts"
import { leftBytes } from "./MessageLength.ts"

let sent: Array<string> = []
let drafts: Array<string> = []

const show = async (): Promise<Composer> => {
  render(
    html`<kez-composer
      name="chris"
      @kez-send=${({ detail }: CustomEvent<string>) => sent.push(detail)}
      @kez-draft=${({ detail }: CustomEvent<string>) => drafts.push(detail)}
    ></kez-composer>`,
    document.body
  )
  const composer = document.querySelector("kez-composer")!
  await composer.updateComplete
  return composer
}

const areaOf = (composer: Composer): HTMLTextAreaElement => composer.shadowRoot!.querySelector("textarea")!

const type = async (composer: Composer, text: string): Promise<void> => {
  areaOf(composer).value = text
  areaOf(composer).dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }))
  await composer.updateComplete
}

const press = (composer: Composer, init: KeyboardEventInit = {}): boolean =>
  areaOf(composer).dispatchEvent(
    new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init })
  )

beforeEach(() => {
  sent = []
  drafts = []
})
afterEach(() => {
  vi.useRealTimers()
  render(null, document.body)
  localStorage.clear()
})

describe("kez-composer", () => {
  it("sends on Enter, and begins a line on Shift Enter", async () => {
    const composer = await show()
    await type(composer, "Hello")
    expect(press(composer, { shiftKey: true })).toBe(true)
    expect(sent).toEqual([])
    expect(press(composer)).toBe(false)
    expect(sent).toEqual(["Hello"])
    expect(composer.value).toBe("")
  })

  it("swaps the two where that is set", async () => {
    setPreference("enter", "newline")
    const composer = await show()
    await type(composer, "Hello")
    expect(press(composer)).toBe(true)
    press(composer, { shiftKey: true })
    expect(sent).toEqual(["Hello"])
  })

  it("leaves Enter to an input method", async () => {
    const composer = await show()
    await type(composer, "こん")
    press(composer, { isComposing: true })
    expect(sent).toEqual([])
  })

  it("sends no blank text", async () => {
    const composer = await show()
    await type(composer, " \n ")
    press(composer)
    expect(sent).toEqual([])
  })

  it("keeps a draft within 300 ms, even while keys go on", async () => {
    const composer = await show()
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    let typed = ""
    for (let millis = 0; millis < 300; millis += 20) {
      typed += "x"
      await type(composer, typed)
      vi.advanceTimersByTime(20)
    }
    expect(drafts).toEqual(["x".repeat(13)])
    composer.remove()
    expect(drafts.at(-1)).toBe(typed)
  })

  it("takes a draft from elsewhere unless somebody writes here", async () => {
    const composer = await show()
    composer.draft = "from another tab"
    await composer.updateComplete
    expect(composer.value).toBe("from another tab")
    areaOf(composer).focus()
    await type(composer, "mine")
    composer.draft = "theirs"
    await composer.updateComplete
    expect(composer.value).toBe("mine")
  })

  it("does not bring a sent text back when its draft is reported late", async () => {
    const composer = await show()
    areaOf(composer).focus()
    await type(composer, "Hello")
    press(composer)
    composer.draft = "Hello"
    await composer.updateComplete
    expect(composer.value).toBe("")
  })

  it("returns a text that was not sent, before what was typed since", async () => {
    const composer = await show()
    await type(composer, "first")
    press(composer)
    await type(composer, "second")
    composer.restore("first")
    await composer.updateComplete
    expect(composer.value).toBe("first\nsecond")
  })

  it("says that a text is too long, and holds it", async () => {
    const composer = await show()
    const text = "ä".repeat(21_000)
    await type(composer, text)
    expect(composer.shadowRoot!.querySelector("#said")?.textContent).toContain("bytes too long")
    press(composer)
    expect(sent).toEqual([])
    expect(composer.value).toBe(text)
  })

  it("names the command for a pasted file", async () => {
    const composer = await show()
    const clipboardData = new DataTransfer()
    clipboardData.items.add(new File(["x"], "it's.png"))
    areaOf(composer).dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }))
    await composer.updateComplete
    const copy = composer.shadowRoot!.querySelector("kez-copy")
    expect(copy?.text).toBe(String.raw`kez-chat share @chris 'it'\''s.png'`)
  })
})

describe("leftBytes", () => {
  it("counts a text as JSON in UTF-8", () => {
    const room = leftBytes("")
    expect(leftBytes("a".repeat(20_000))).toBe(room - 20_000)
    expect(leftBytes("\n".repeat(20_000))).toBe(room - 40_000)
    expect(leftBytes("😀".repeat(10_000))).toBe(room - 40_000)
  })
})
