/** The static landing page and the rendered documentation: plain HTML without scripts or anything from elsewhere. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** Beside a built bundle; for sources, in the package. */
const places = ["./pages/no-page.html", "../../../pages/no-page.html"]

/** Text with nothing left that HTML would read as markup. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** An HTML answer that may load nothing and run nothing. */
export const htmlResponse = (html: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(html, {
    contentType: "text/html; charset=utf-8",
    headers: {
      "cache-control": "public, max-age=300",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      etag: `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"`
    }
  })

/** The landing page with the server's name in it. */
export const landing = (serverName: string): HttpServerResponse.HttpServerResponse => {
  const path = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((file) => existsSync(file))
  if (path === undefined) throw new Error(`the landing page is missing; looked for ${places.join(" and ")}`)
  return htmlResponse(readFileSync(path, "utf8").replaceAll("{{server}}", escape(serverName)))
}
