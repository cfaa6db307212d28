import type { Message } from "@kez-chat/sdk/promise"
import { html, render } from "lit"
import { afterEach, describe, expect, it } from "vitest"
import { chris, message } from "../../gallery/FakeClient.ts"
import "./MessageLog.ts"
import type { MessageLog, More } from "./MessageLog.ts"

const start = new Date(2026, 5, 1, 9).getTime()

/** Messages of many lengths, with orders from `from`. */
const talk = (count: number, from = 1): ReadonlyArray<Message> =>
  Array.from({ length: count }, (_, index) => {
    const order = from + index
    return message(chris.primary, `${order} ${"and more words ".repeat((order * 7) % 23)}`, {
      order,
      arrivedAt: start + order * 60_000,
      ...(order % 3 === 0 ? { state: "delivered" as const } : {})
    })
  })

const frames = async (count = 4): Promise<void> => {
  for (let frame = 0; frame < count; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve))
}

const show = async (
  messages: ReadonlyArray<Message>,
  more: { readonly at?: number; readonly unreadFrom?: number; readonly older?: More; readonly newer?: More } = {}
): Promise<MessageLog> => {
  render(
    html`<kez-message-log
      style="height: 600px; width: 360px"
      name="chris"
      .messages=${messages}
      .at=${more.at}
      .unreadFrom=${more.unreadFrom}
      .older=${more.older ?? "none"}
      .newer=${more.newer ?? "none"}
    ></kez-message-log>`,
    document.body
  )
  await frames(8)
  return document.querySelector("kez-message-log")!
}

const scrollerOf = (log: MessageLog): HTMLElement => log.shadowRoot!.querySelector<HTMLElement>(".scroller")!
const distance = (log: MessageLog): number => {
  const { clientHeight, scrollHeight, scrollTop } = scrollerOf(log)
  return scrollHeight - clientHeight - scrollTop
}
const shown = (log: MessageLog) =>
  [...log.shadowRoot!.querySelectorAll("kez-message")].map((element) => ({
    order: element.message!.order,
    top: element.getBoundingClientRect().top,
    bottom: element.getBoundingClientRect().bottom
  }))
const topOf = (log: MessageLog, order: number): number | undefined => shown(log).find((row) => row.order === order)?.top

afterEach(() => render(null, document.body))

describe("kez-message-log", () => {
  it("opens 10,000 messages at the newest, and renders few of them", async () => {
    const messages = talk(10_000)
    const log = await show(messages)
    expect(distance(log)).toBeLessThan(2)
    expect(shown(log).at(-1)?.order).toBe(10_000)
    expect(shown(log).length).toBeLessThan(60)
  })

  it("keeps what is read in its place when earlier messages come in", async () => {
    const log = await show(talk(60, 61), { older: "some" })
    scrollerOf(log).scrollTop = 300
    await frames()
    const before = shown(log).find(({ top }) => top > 0)!
    log.messages = [...talk(60, 1), ...log.messages]
    await frames(8)
    expect(topOf(log, before.order)).toBeCloseTo(before.top, 0)
  })

  it("follows at the newest message, and else offers to go there", async () => {
    const log = await show(talk(60))
    log.messages = [...log.messages, ...talk(1, 61)]
    await frames(8)
    expect(distance(log)).toBeLessThan(2)
    scrollerOf(log).scrollTop = 200
    await frames(8)
    const before = shown(log).find(({ top }) => top > 0)!
    log.messages = [...log.messages, ...talk(3, 62)]
    log.arrived = 3
    await frames(8)
    expect(topOf(log, before.order)).toBeCloseTo(before.top, 0)
    const pill = log.shadowRoot!.querySelector<HTMLButtonElement>(".pill")!
    expect(pill.textContent).toContain("3 new messages")
    pill.click()
    await frames(12)
    expect(distance(log)).toBeLessThan(2)
    expect(log.shadowRoot!.querySelector(".pill")).toBeNull()
  })

  it("renders the newest in the turn in which they arrive, and no other rows on the way there", async () => {
    const log = await show(talk(60))
    const rendered = new Set<number>()
    const rows = log.shadowRoot!.querySelector(".rows")!
    const observer = new MutationObserver(() => {
      for (const { order } of shown(log)) rendered.add(order)
    })
    observer.observe(rows, { childList: true })
    log.messages = [...log.messages, ...talk(200, 61)]
    await log.updateComplete
    expect(shown(log).at(-1)?.order).toBe(260)
    await frames(8)
    observer.disconnect()
    expect([...rendered].filter((order) => order > 60 && order < 200)).toEqual([])
    expect(distance(log)).toBeLessThan(2)
  })

  it("follows when many arrive faster than they are laid out", async () => {
    const log = await show(talk(20))
    for (let order = 21; order <= 140; order += 1) {
      log.messages = [...log.messages, ...talk(1, order)]
      // Some between frames, some in the same one, some in the middle of an update.
      if (order % 3 === 0) await frames(1)
      else if (order % 3 === 1) await log.updateComplete
    }
    await frames(12)
    expect(distance(log)).toBeLessThan(2)
    expect(log.shadowRoot!.querySelector(".pill")).toBeNull()
  })

  it("leaves the newest message by steps of a few pixels while others arrive", async () => {
    const log = await show(talk(60))
    let count = 60
    for (let step = 1; step <= 8; step += 1) {
      const before = distance(log)
      scrollerOf(log).scrollTop -= 5
      await frames()
      expect(distance(log)).toBeCloseTo(before + 5, 0)
      const reading = shown(log).find(({ top }) => top > 0)!
      log.messages = talk((count += 1))
      await frames()
      expect(topOf(log, reading.order)).toBeCloseTo(reading.top, 0)
    }
    scrollerOf(log).scrollTop = scrollerOf(log).scrollHeight
    await frames()
    log.messages = talk(count + 1)
    await frames(8)
    expect(distance(log)).toBeLessThan(2)
  })

  it("begins at a message from a search and marks it", async () => {
    const log = await show(talk(200), { at: 100, older: "some", newer: "some" })
    const hit = shown(log).find(({ order }) => order === 100)!
    expect(hit.top).toBeGreaterThan(60)
    expect(hit.bottom).toBeLessThan(560)
    const marked = [...log.shadowRoot!.querySelectorAll("kez-message")].filter((element) => element.hit)
    expect(marked.map(({ message: of }) => of?.order)).toEqual([100])
  })

  it("begins at the first unread message", async () => {
    const log = await show(talk(200), { unreadFrom: 150 })
    const divider = log.shadowRoot!.querySelector(".unread")!
    expect(divider.getBoundingClientRect().top).toBeGreaterThanOrEqual(-1)
    expect(divider.getBoundingClientRect().top).toBeLessThan(120)
  })

  it("asks for earlier messages near the beginning, once", async () => {
    let asked = 0
    const log = await show(talk(120), { older: "some" })
    log.addEventListener("kez-older", () => {
      asked += 1
      log.older = "loading"
    })
    scrollerOf(log).scrollTop = 0
    await frames(8)
    expect(asked).toBe(1)
  })

  it("stays at the newest message while the room for it shrinks", async () => {
    const log = await show(talk(60))
    log.style.height = "300px"
    await frames(8)
    expect(distance(log)).toBeLessThan(2)
  })

  it("tells assistive technology of what arrives, and of a new state, and of nothing else", async () => {
    const log = await show(talk(60, 11))
    const announced = log.shadowRoot!.querySelector('[role="log"]')!
    const status = log.shadowRoot!.querySelector('[role="status"]')!
    expect(announced.textContent.trim()).toBe("")
    log.messages = [...log.messages, message(chris.primary, "Are you there?", { order: 71, arrivedAt: start })]
    await log.updateComplete
    expect(announced.textContent.trim()).toBe("chris: Are you there?")
    const own = message(chris.primary, "Yes", { order: 72, state: "stored" })
    log.messages = [...log.messages, own]
    await log.updateComplete
    log.messages = log.messages.with(log.messages.length - 1, { ...own, state: "delivered" })
    await log.updateComplete
    expect(status.textContent.trim()).toBe("Delivered")
    log.messages = [...talk(10), ...log.messages]
    await log.updateComplete
    expect(announced.querySelectorAll("p")).toHaveLength(1)
  })
})
