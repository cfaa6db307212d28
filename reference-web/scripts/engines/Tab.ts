import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Driver } from "./Driver.ts"
import { inPage, type InPage, type Kind } from "./InPage.ts"

/** How long something may take on a busy machine, in milliseconds. */
const patience = 120_000

const looks = { wide: [1280, 860], phone: [390, 844] } as const

const literal = (value: unknown): string => (value instanceof RegExp ? String(value) : JSON.stringify(value))

/** Tries until there is an answer other than false and nothing. */
export const until = async <A>(what: string, attempt: () => Promise<A | null | undefined | false>): Promise<A> => {
  const end = Date.now() + patience
  for (;;) {
    const answer = await attempt()
    if (answer !== undefined && answer !== null && answer !== false) return answer
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Somebody in front of a tab. */
export class Tab {
  readonly #driver: Driver
  readonly #id: string

  constructor(driver: Driver, id: string) {
    this.#driver = driver
    this.#id = id
  }

  goto(url: string): Promise<void> {
    return this.#driver.goto(this.#id, url)
  }

  reload(): Promise<void> {
    return this.#driver.reload(this.#id)
  }

  close(): Promise<void> {
    return this.#driver.close(this.#id)
  }

  evaluate(expression: string): Promise<unknown> {
    return this.#driver.evaluate(this.#id, expression)
  }

  /** Follows an address of the page, as a link would. */
  async follow(hash: string): Promise<void> {
    await this.evaluate(`void (location.hash = ${literal(hash)})`)
  }

  /** Calls a function of `inPage`. */
  async ask<Name extends keyof InPage>(
    name: Name,
    ...args: Parameters<InPage[Name]>
  ): Promise<Awaited<ReturnType<InPage[Name]>> | null> {
    const answer = await this.evaluate(`(${inPage})().${name}(${args.map(literal).join(", ")})`)
    return answer as Awaited<ReturnType<InPage[Name]>> | null
  }

  async texts(kind: Kind): Promise<ReadonlyArray<string>> {
    return (await this.ask("texts", kind)) ?? []
  }

  messages(): Promise<ReadonlyArray<string>> {
    return this.texts("message")
  }

  async sees(wanted: string | RegExp): Promise<boolean> {
    const text = (await this.ask("text")) ?? ""
    return typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)
  }

  async see(...wanted: ReadonlyArray<string | RegExp>): Promise<void> {
    for (const text of wanted) await until(`to see ${text}`, () => this.sees(text))
  }

  async seeNoMore(wanted: string | RegExp): Promise<void> {
    await until(`to see ${wanted} no more`, async () => !(await this.sees(wanted)))
  }

  /** Waits for a message with this text, and where it is own, in this state. */
  async message(text: string, state?: RegExp): Promise<void> {
    await until(`message ${text} ${state ?? ""}`, async () =>
      (await this.messages()).some((shown) => shown.includes(text) && (state === undefined || state.test(shown)))
    )
  }

  async #act(action: object): Promise<void> {
    await this.#driver.act(this.#id, [action])
  }

  /** Clicks as a person does: once it is there, at rest, and not covered. */
  async press(kind: Kind, name: string | RegExp): Promise<void> {
    let before = ""
    const point = await until(`to press ${kind} ${name}`, async () => {
      const now = await this.ask("aim", kind, name)
      const isAtRest = JSON.stringify(now) === before
      before = JSON.stringify(now)
      return isAtRest && now
    })
    await this.#act({
      type: "pointer",
      id: "mouse",
      parameters: { pointerType: "mouse" },
      actions: [
        { type: "pointerMove", duration: 0, ...point },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 }
      ]
    })
  }

  /** Turns the wheel over the middle of the window, and waits until the messages rest: scrolling goes on for a while. */
  async wheel(deltaY: number): Promise<void> {
    const [width, height] = looks.wide
    await this.#driver.wheel(this.#id, { x: width / 2, y: height / 2 }, deltaY)
    let before: number | undefined
    await until("scrolling to end", async () => {
      await this.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")
      const now = (await this.ask("bounds", "message", /(?:)/))?.top
      const isAtRest = now === before
      before = now
      return isAtRest
    })
  }

  /** Presses these keys one after the other; a list in it is a chord. */
  async keys(...keys: ReadonlyArray<string | ReadonlyArray<string>>): Promise<void> {
    const actions = keys.flatMap((chord) => {
      const held = typeof chord === "string" ? [chord] : chord
      return [
        ...held.map((value) => ({ type: "keyDown", value })),
        ...held.toReversed().map((value) => ({ type: "keyUp", value }))
      ]
    })
    await this.#act({ type: "key", id: "keyboard", actions })
  }

  /** Types into a field in place of what it has. */
  async fill(name: string | RegExp, text: string): Promise<void> {
    await this.press("field", name)
    await this.keys([key.control, "a"], key.remove, ...text)
  }

  /** A picture as it is now, as `<name>.png`. */
  async capture(folder: string, name: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, `${name}.png`), await this.#driver.picture(this.#id))
  }

  /** Pictures in the size of a desktop and of a phone, as `<name>.<look>.png`. */
  async shoot(folder: string, name: string): Promise<void> {
    for (const look of ["phone", "wide"] as const) {
      const [width, height] = looks[look]
      await this.#driver.resize(this.#id, width, height)
      await this.evaluate("new Promise((resolve) => setTimeout(resolve, 500))")
      await this.capture(folder, `${name}.${look}`)
    }
  }
}

/** Keys without a character, as WebDriver numbers them. */
export const key = {
  control: "\uE009",
  shift: "\uE008",
  enter: "\uE007",
  escape: "\uE00C",
  /** Not Backspace, which leads from an empty field of the words to the one before. */
  remove: "\uE017"
}
