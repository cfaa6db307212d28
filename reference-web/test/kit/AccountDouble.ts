import { ContextProvider } from "@lit/context"
import { LitElement } from "lit"
import { expect, vi } from "vitest"
import { accountContext, clientContext } from "../../src/context.ts"
import type { Field } from "../../src/elements/field/Field.ts"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"

export const words =
  "ocean bread kitten silver ladder pepper window thunder basket velvet orange tunnel mirror candle forest button garden whisper anchor marble lemon rocket pillow title"

/** An account that does what the test says, and refuses everything else. */
export const accountDouble = (calls: Partial<WebAccount>): WebAccount => {
  const known: Partial<WebAccount> = {
    home: { name: "kez.lat", url: location.origin },
    state: { _tag: "empty" } satisfies AccountState,
    newWords: async () => words,
    handleStatus: async () => "free",
    askOnReload: false,
    async *states() {
      yield this.state!
    },
    ...calls
  }
  return new Proxy(known as WebAccount, {
    get: (target, name) => {
      if (name in target || typeof name === "symbol") return Reflect.get(target, name)
      return () => Promise.reject(new Error(`the test expects no call of ${name}`))
    }
  })
}

/** Puts an element on the page below this account and its client; returns it once it has rendered. */
export const show = async <E extends LitElement>(element: E, account: WebAccount): Promise<E> => {
  document.body.replaceChildren()
  const root = document.body.appendChild(document.createElement("main"))
  const providers = [
    new ContextProvider(root, { context: accountContext, initialValue: account }),
    new ContextProvider(root, { context: clientContext, initialValue: account.client })
  ]
  for (const provider of providers) provider.hostConnected()
  root.append(element)
  await settled(root)
  return element
}

/** Waits until nothing in the tree has an update to do. */
export const settled = async (root: ParentNode = document.body): Promise<void> => {
  for (const element of root.querySelectorAll("*")) {
    if (element instanceof LitElement) await element.updateComplete
    if (element.shadowRoot !== null) await settled(element.shadowRoot)
  }
}

/** The first element with this selector in the page or in any shadow root. */
export const find = <E extends Element>(selector: string, root: ParentNode = document.body): E | undefined => {
  const here = root.querySelector<E>(selector)
  if (here !== null) return here
  for (const element of root.querySelectorAll("*")) {
    const below = element.shadowRoot === null ? undefined : find<E>(selector, element.shadowRoot)
    if (below !== undefined) return below
  }
  return undefined
}

/** Waits for an element. */
export const appears = <E extends Element>(selector: string): Promise<E> =>
  vi.waitFor(
    async () => {
      await settled()
      const found = find<E>(selector)
      if (found === undefined) throw new Error(`there is no ${selector}`)
      return found
    },
    { timeout: 10_000, interval: 10 }
  )

/** Clicks a native button, or the one inside a `kez-button`. */
export const press = async (button: Element): Promise<void> => {
  const native = button.shadowRoot?.querySelector("button") ?? button
  if (native instanceof HTMLElement) native.click()
  await settled()
}

/** Types into a field in place of what it has. */
export const type = async (field: Field, text: string): Promise<void> => {
  field.input.value = text
  field.input.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }))
  await settled()
}

/** Everything that the page holds as text or in fields. */
export const textOf = (root: ParentNode = document.body): string =>
  Array.from(root.querySelectorAll("*"), (element) => {
    const own = Array.from(element.childNodes, (node) => (node.nodeType === Node.TEXT_NODE ? node.textContent : ""))
    const value = element instanceof HTMLInputElement ? element.value : ""
    return `${own.join("")} ${value} ${element.shadowRoot === null ? "" : textOf(element.shadowRoot)}`
  }).join(" ")

/** Waits until the page holds this text. */
export const says = (part: string): Promise<void> =>
  vi.waitFor(() => expect(textOf()).toContain(part), { timeout: 10_000 })

export const passphrase = "paper moon lamp"

/** Types the passphrase twice where a new one is asked for. */
export const setPassphrase = async (): Promise<void> => {
  const step = await appears("kez-new-passphrase")
  await settled()
  for (const field of step.shadowRoot!.querySelectorAll<Field>("kez-field")) await type(field, passphrase)
  step.shadowRoot!.querySelector("form")!.requestSubmit()
}
