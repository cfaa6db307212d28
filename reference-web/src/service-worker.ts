/**
 * Keeps the files of one build, so that the page opens without a network and an open page of an older build still finds
 * its parts. It holds no messages and no keys.
 */
/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope
declare const BUILD_FILES: { readonly name: string; readonly files: ReadonlyArray<string> }

const { files, name } = BUILD_FILES
const prefix = "kez-chat-"
const cacheName = prefix + name
/** Caches of earlier builds that stay for pages which are still open. */
const keptBuilds = 2

const addressOf = (path: string): string => new URL(path, self.registration.scope).href

const removeOld = async (): Promise<void> => {
  const own = (await caches.keys()).filter((key) => key.startsWith(prefix))
  await Promise.all(own.slice(0, -keptBuilds).map((key) => caches.delete(key)))
}

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(files.map((path) => new Request(addressOf(path), { cache: "no-cache" }))))
  )
})

self.addEventListener("activate", (event) => {
  event.waitUntil(removeOld().then(() => self.clients.claim()))
})

/** What keeps its name in every build comes from the server when it answers, so that a new build is seen at once. */
const newest = async (request: Request, address: string): Promise<Response> => {
  try {
    return await fetch(request)
  } catch (error) {
    const kept = await caches.match(address)
    if (kept !== undefined) return kept
    throw error
  }
}

const addresses = new Set(files.map(addressOf))

self.addEventListener("fetch", (event) => {
  const { request } = event
  if (request.method !== "GET") return
  const { href, origin, pathname } = new URL(request.url)
  if (!href.startsWith(self.registration.scope)) return
  if (pathname.includes("/assets/")) event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)))
  else if (addresses.has(origin + pathname)) event.respondWith(newest(request, origin + pathname))
})

/** Shows the conversation of a notification in a page that is open, or in a new one. */
const open = async (hash: string): Promise<void> => {
  const [shown] = await self.clients.matchAll({ type: "window" })
  const address = addressOf(`./${hash}`)
  if (shown === undefined) await self.clients.openWindow(address)
  else await shown.navigate(address).then((client) => client?.focus())
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close()
  const { hash } = (event.notification.data ?? {}) as { readonly hash?: unknown }
  event.waitUntil(open(typeof hash === "string" && hash.startsWith("#/") ? hash : "#/"))
})

self.addEventListener("message", (event) => {
  if (event.data === "activate") void self.skipWaiting()
})
