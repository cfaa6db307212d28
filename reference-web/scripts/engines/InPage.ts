import type { WebAccount } from "@kez-chat/sdk/web-page"

/** Looks through shadow roots as a person looks at the screen. One function, because it is sent to the page as text. */
export const inPage = () => {
  const kinds = {
    button: "button, summary, [role=button]",
    link: "a[href]",
    field: "input, textarea",
    heading: "h1, h2, h3",
    label: "label",
    word: "ol > li",
    message: "kez-message",
    dialog: "dialog[open]"
  }
  type Kind = keyof typeof kinds

  function* all(root: ParentNode = document): Generator<Element> {
    for (const element of root.querySelectorAll("*")) {
      yield element
      if (element.shadowRoot !== null) yield* all(element.shadowRoot)
    }
  }

  const flat = (node: Node): Iterable<Node> => {
    if (node instanceof HTMLSlotElement && node.assignedNodes().length > 0) return node.assignedNodes()
    return (node instanceof Element ? node.shadowRoot : null)?.childNodes ?? node.childNodes
  }

  const render = (node: Node): string => {
    if (node instanceof Text) return node.data
    if (!(node instanceof Element) || node.matches("style, script, template")) return ""
    const { display, visibility } = getComputedStyle(node)
    if (display === "none" || visibility === "hidden") return ""
    const isIcon = node.matches("a, button") && (node.getAttribute("aria-label") ?? "") !== ""
    const text = isIcon ? (node.getAttribute("aria-label") ?? "") : Array.from(flat(node), render).join("")
    return /^(inline$|contents)/.test(display) ? text : ` ${text} `
  }

  /** The text of an element as it is rendered, in one line. */
  const textOf = (node: Node): string => render(node).replace(/\s+/g, " ").trim()

  const nameOf = (element: Element): string => {
    // The label of a message says who wrote it.
    if (element.matches(kinds.message)) return textOf(element)
    const root = element.getRootNode() as Document | ShadowRoot
    const label = element.id === "" ? null : root.querySelector(`label[for=${element.id}]`)
    return element.getAttribute("aria-label") || textOf(label ?? element)
  }

  const isSame = (text: string, wanted: string | RegExp) =>
    typeof wanted === "string" ? text === wanted : wanted.test(text)

  const find = (kind: Kind, name: string | RegExp): Array<Element> =>
    Array.from(all()).filter(
      (element) => element.matches(kinds[kind]) && element.getClientRects().length > 0 && isSame(nameOf(element), name)
    )

  const parentOf = (node: Node): Node | null =>
    (node instanceof Element ? node.assignedSlot : null) ?? (node instanceof ShadowRoot ? node.host : node.parentNode)

  const contains = (element: Element, node: Node | null): boolean =>
    node !== null && (node === element || contains(element, parentOf(node)))

  const topmostAt = (x: number, y: number): Element | null => {
    let found = document.elementFromPoint(x, y)
    for (let next = found; next !== null;) {
      found = next
      const below = next.shadowRoot?.elementFromPoint(x, y) ?? null
      next = below === next ? null : below
    }
    return found
  }

  return {
    /** Where to click what has this name, if nothing lies over it and it can be used. */
    aim: (kind: Kind, name: string | RegExp): { x: number; y: number } | undefined => {
      for (const element of find(kind, name)) {
        element.scrollIntoView({ block: "nearest", behavior: "instant" })
        const { height, left, top, width } = element.getBoundingClientRect()
        const [x, y] = [Math.round(left + width / 2), Math.round(top + height / 2)]
        const hit = topmostAt(x, y)
        // Of text in a slot of the element, its parent is found: the host.
        const isHit = contains(element, hit) || (element.getRootNode() as ShadowRoot).host === hit
        if (!element.matches(":disabled") && isHit) return { x, y }
      }
      return undefined
    },
    text: (): string => textOf(document.body),
    texts: (kind: Kind): ReadonlyArray<string> => find(kind, /(?:)/).map(textOf),
    value: (name: string | RegExp): string | undefined => {
      const [field] = find("field", name)
      return field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field.value : undefined
    },
    /** Where an element is, and whether all of it is in the window. */
    bounds: (kind: Kind, name: string | RegExp) => {
      const rect = find(kind, name)[0]?.getBoundingClientRect()
      if (rect === undefined) return undefined
      const { bottom, height, top } = rect
      return { top, height, isInView: top >= 0 && bottom <= innerHeight }
    },
    /** Sends texts as the page would, without typing them. */
    sendAll: async (who: string, all: ReadonlyArray<string>): Promise<void> => {
      const { account } = document.querySelector("kez-app") as unknown as { readonly account: WebAccount }
      for (const each of all) await account.client.send(who, each)
    },
    /** Names of what this browser stores for the page. */
    stored: async (): Promise<ReadonlyArray<string | undefined>> => [
      ...(await indexedDB.databases()).map(({ name }) => name),
      ...Object.keys(localStorage),
      ...Object.keys(sessionStorage)
    ]
  }
}

export type InPage = ReturnType<typeof inPage>
export type Kind = Parameters<InPage["aim"]>[0]
