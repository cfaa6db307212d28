import { go } from "../controllers/Route.ts"

const isTyping = (event: KeyboardEvent): boolean => {
  const target = event.composedPath()[0]
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  )
}

/** The composer keeps its text as a draft; another field may lose what is in it. */
const isInComposer = (event: KeyboardEvent): boolean =>
  event.composedPath().some((node) => node instanceof HTMLElement && node.localName === "kez-composer")

/** The keys that work on every screen: `/` or Ctrl K search, Escape goes up one level, `?` lists the keys. */
export const onKey = (event: KeyboardEvent): void => {
  if (event.defaultPrevented || event.isComposing) return
  const search = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k"
  if (search || (event.key === "/" && !isTyping(event))) {
    event.preventDefault()
    go({ screen: "search", query: "" })
  } else if (event.key === "?" && !isTyping(event)) {
    event.preventDefault()
    go({ screen: "settings", part: "keys" })
  } else if (event.key === "Escape" && (!isTyping(event) || isInComposer(event))) {
    const up = location.hash.split("/").slice(0, -1)
    const isPart = up[1] === "settings" || (up.length > 2 && up[1] !== "c")
    location.hash = isPart ? up.join("/") : "#/"
  }
}
