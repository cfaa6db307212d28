/**
 * Stands before the home server, because not every engine tells its driver about errors: pages and workers that come
 * through here report violations of their policy and errors of their scripts.
 */
import { once } from "node:events"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"

const reports = "/kez-reports"

/** Runs first in the page and in its workers. That observers of sizes take another turn is no error. */
const watch = `{
  const tell = (what) => void fetch("${reports}", { method: "POST", body: what, keepalive: true }).catch(() => {})
  addEventListener("error", (event) => {
    if (!/^ResizeObserver loop/.test(event.message)) tell("error: " + event.message + " at " + event.filename + ":" + event.lineno)
  })
  addEventListener("unhandledrejection", ({ reason }) => tell("unhandled: " + reason + "\\n" + (reason?.stack ?? "")))
}
`

export interface Front {
  readonly url: string
  /**
   * Something of the same origin that is not the page. An automated MiniBrowser stores nothing, and forgets the caches of
   * a service worker ten seconds after the last document of its origin.
   */
  readonly elsewhere: string
  /** Whether the home answers no longer. */
  isDown: boolean
  /** What was reported since the last call. */
  problems(): ReadonlyArray<string>
  close(): void
}

export const startFront = async (home: string, port: number): Promise<Front> => {
  const problems: Array<string> = []
  const server = createServer((request, response) => {
    const path = request.url ?? "/"
    const answer = async () => {
      if (front.isDown) return response.destroy()
      const hasBody = request.method !== "GET" && request.method !== "HEAD"
      const body = hasBody ? await text(request) : undefined
      if (path === reports) {
        problems.push(body ?? "")
        return response.end()
      }
      if (path === `${reports}.js`) return response.setHeader("content-type", "text/javascript").end(watch)
      const answered = await fetch(home + path, {
        method: request.method ?? "GET",
        headers: { "content-type": request.headers["content-type"] ?? "application/json" },
        redirect: "manual",
        ...(body === undefined ? {} : { body })
      })
      response.statusCode = answered.status
      for (const [name, value] of answered.headers)
        if (!/^(connection|keep-alive|transfer-encoding|content-(encoding|length))$/.test(name))
          response.setHeader(name, name === "content-security-policy" ? `${value}; report-uri ${reports}` : value)
      const type = answered.headers.get("content-type") ?? ""
      if (type.startsWith("text/html"))
        return response.end((await answered.text()).replace("<head>", `<head><script src="${reports}.js"></script>`))
      if (/assets\/account-[^/]+\.js$/.test(path)) return response.end(watch + (await answered.text()))
      return response.end(Buffer.from(await answered.arrayBuffer()))
    }
    answer().catch((error: unknown) => response.destroy(error as Error))
  })
  const front: Front = {
    // A secure context, and the name under which people open a home on their own machine.
    url: `http://localhost:${port}`,
    elsewhere: `http://localhost:${port}${reports}.js`,
    isDown: false,
    problems: () => problems.splice(0),
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  return front
}
