/** Going on with a newer build of the page. */

declare const BUILD_TIME: string

const item = "kez-chat/reloaded"

const isTyping = (): boolean => {
  let focused = document.activeElement
  while (focused?.shadowRoot?.activeElement != null) focused = focused.shadowRoot.activeElement
  return (focused instanceof HTMLTextAreaElement || focused instanceof HTMLInputElement) && focused.value !== ""
}

/**
 * Reloads the page, unless somebody is typing. A build does so once in a tab: where the server still sends it, the page
 * would reload for ever.
 */
export const reloadUnlessTyping = (): void => {
  if (isTyping() || sessionStorage.getItem(item) === BUILD_TIME) return
  sessionStorage.setItem(item, BUILD_TIME)
  location.reload()
}
