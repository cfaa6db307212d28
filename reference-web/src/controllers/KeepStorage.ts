let isAsked = false

/**
 * Asks the browser not to clear what this page stores, once a visit: from the first contact on there is something to
 * lose. Chromium decides by itself, Firefox asks the person; the settings show what came of it.
 */
export const keepStorage = async (): Promise<void> => {
  if (isAsked) return
  isAsked = true
  // Absent on insecure pages and in older browsers.
  await navigator.storage?.persist?.().catch(() => undefined)
}
