/** The page's addresses: what follows the `#`, so that they work under any path. */
export type Route =
  | { readonly screen: "list" }
  | { readonly screen: "conversation"; readonly who: string; readonly at?: number }
  | { readonly screen: "profile"; readonly who: string }
  | { readonly screen: "safety"; readonly who: string }
  | { readonly screen: "files"; readonly who: string }
  | { readonly screen: "new" }
  | { readonly screen: "requests" }
  /** `who`: only in the conversation with them. */
  | { readonly screen: "search"; readonly query: string; readonly who?: string }
  | { readonly screen: "settings"; readonly part: string }
  | { readonly screen: "about" }

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Reads a hash such as `#/c/chris@kez.lat`; whatever is no address of the page is the list. */
export const parseRoute = (hash: string): Route => {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2)
  const [first, second = "", third, fourth] = path.split("/")
  const who = decode(second)
  if (who === undefined) return { screen: "list" }
  switch (first) {
    case "c": {
      if (who === "") return { screen: "list" }
      const at = third === "m" && fourth !== undefined && /^\d{1,15}$/.test(fourth) ? Number(fourth) : undefined
      return { screen: "conversation", who, ...(at === undefined ? {} : { at }) }
    }
    case "p":
      if (who === "") return { screen: "list" }
      return { screen: third === "files" ? "files" : third === "safety" ? "safety" : "profile", who }
    case "new":
      return { screen: "new" }
    case "requests":
      return { screen: "requests" }
    case "search": {
      const asked = new URLSearchParams(query)
      const within = asked.get("in")
      return { screen: "search", query: asked.get("q") ?? "", ...(within === null ? {} : { who: within }) }
    }
    case "settings":
      return { screen: "settings", part: second }
    case "about-protection":
      return { screen: "about" }
    default:
      return { screen: "list" }
  }
}

/** The hash of a route; `parseRoute` reads it back. */
export const hashOf = (route: Route): string => {
  switch (route.screen) {
    case "list":
      return "#/"
    case "conversation":
      return `#/c/${encodeURIComponent(route.who)}${route.at === undefined ? "" : `/m/${route.at}`}`
    case "profile":
      return `#/p/${encodeURIComponent(route.who)}`
    case "safety":
    case "files":
      return `#/p/${encodeURIComponent(route.who)}/${route.screen}`
    case "search": {
      const asked = new URLSearchParams({ q: route.query, ...(route.who === undefined ? {} : { in: route.who }) })
      if (route.query === "") asked.delete("q")
      return asked.size === 0 ? "#/search" : `#/search?${asked}`
    }
    case "settings":
      return route.part === "" ? "#/settings" : `#/settings/${route.part}`
    case "about":
      return "#/about-protection"
    default:
      return `#/${route.screen}`
  }
}

/** Goes to a route; `replace` leaves no step for the back button. */
export const go = (route: Route, replace = false): void => {
  if (replace) location.replace(hashOf(route))
  else location.hash = hashOf(route)
}
