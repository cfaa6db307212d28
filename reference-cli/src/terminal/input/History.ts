/** Earlier texts, for the Up and Down keys. The text being typed comes after them. */
import * as Draft from "./Draft.ts"

const most = 100

export class History {
  readonly #texts: Array<string> = []
  #pending = Draft.empty
  /** Index into the texts; the text being typed comes after the last. */
  #at = 0

  add(text: string): void {
    const before = this.#texts.indexOf(text)
    if (before >= 0) this.#texts.splice(before, 1)
    this.#texts.push(text)
    if (this.#texts.length > most) this.#texts.shift()
    this.#at = this.#texts.length
    this.#pending = Draft.empty
  }

  /** The next text in a direction, or undefined where there is none. */
  go(direction: "up" | "down", current: Draft.Draft): Draft.Draft | undefined {
    const next = direction === "up" ? this.#at - 1 : this.#at + 1
    if (next < 0 || next > this.#texts.length) return undefined
    if (this.#at === this.#texts.length) this.#pending = current
    this.#at = next
    return next === this.#texts.length ? this.#pending : Draft.of(this.#texts[next] ?? "")
  }
}
