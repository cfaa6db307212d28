import { parseAst, type Plugin, Visitor } from "vite"

/**
 * Shortens the templates of Lit. In CSS only the white space that it needs stays. In HTML and SVG an indented line break
 * becomes one space, which a browser shows the same way: no template has text in a `<pre>` or a `<textarea>`.
 */
export const literals = (): Plugin => ({
  name: "kez-literals",
  apply: "build",
  transform: {
    filter: { id: /\/src\/.*\.ts$/, code: /\b(?:css|html|svg)`/ },
    handler(code) {
      const found: Array<readonly [start: number, end: number, text: string]> = []
      new Visitor({
        TaggedTemplateExpression({ tag, quasi: { quasis } }) {
          const shorten = tag.type === "Identifier" ? shorteners.get(tag.name) : undefined
          if (shorten === undefined) return
          for (const { start, end, value } of quasis) found.push([start, end, shorten(value.raw)])
        }
      }).visit(parseAst(code))
      // From the end, so that the places before stay where they are.
      found.sort(([a], [b]) => b - a)
      for (const [start, end, text] of found) code = code.slice(0, start) + text + code.slice(end)
      return { code, map: null }
    }
  }
})

const gap = String.raw`(?:\s|/\*[^]*?\*/)`
/** Strings, which stay as they are; marks, and what around them is not needed; any other gap. */
const cssParts = new RegExp(`"[^"]*"|;?${gap}*(})${gap}*|${gap}*([{;,])${gap}*|(:)${gap}+|${gap}+`, "g")

/** The white space within a rule that means nothing, and the last semicolon. */
const shortenCss = (css: string): string =>
  css.replace(cssParts, (part, end, mark, colon) => end ?? mark ?? colon ?? (part.startsWith('"') ? part : " ")).trim()

const shortenHtml = (html: string): string => html.replace(/\s*\n\s*(>)?/g, (_, end) => end ?? " ")

const shorteners = new Map([
  ["css", shortenCss],
  ["html", shortenHtml],
  ["svg", shortenHtml]
])
