import type { Plugin } from "vite"

/**
 * Adds the operator's files to the page: the stylesheet after the page's own, which Vite puts at the end of the head, and
 * the sentences early enough for the first screen.
 */
export const ownFiles = (): Plugin => ({
  name: "kez-own-files",
  transformIndexHtml: {
    order: "post",
    handler: (_, { path }) =>
      path === "/index.html"
        ? [
            { tag: "link", attrs: { rel: "stylesheet", href: "./theme.css" }, injectTo: "head" },
            { tag: "link", attrs: { rel: "modulepreload", href: "./texts.js" }, injectTo: "head" }
          ]
        : []
  }
})
