import type { Event as ChatEvent, KezChatClient } from "@kez-chat/sdk/promise"
import type { ReactiveController, ReactiveControllerHost } from "lit"
import { displayName } from "../model/DisplayName.ts"
import type { Texts } from "../texts/Texts.ts"
import { ChatEvents } from "./ChatEvents.ts"
import { go, hashOf } from "./Route.ts"
import { LiveConversations, unreadOf } from "./LiveConversations.ts"
import { preference, setPreference } from "./Preferences.ts"

/** How long a tab waits before it notifies, so that one that is looked at can say so first, in milliseconds. */
const handOverMillis = 150

/** Most characters of a message in a notification. */
const bodyCharacters = 200

interface Bound {
  client(): KezChatClient | undefined
  texts(): Texts["conversation"]
  /** The document's title without the count. */
  title(): string
}

/**
 * Calls for attention: the unread count in the title and on the installed app's icon, and notifications while no tab is
 * looked at. Of several tabs the first to take the message's lock notifies.
 */
export class Attention implements ReactiveController {
  readonly #bound: Bound
  readonly #live: LiveConversations
  readonly #tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("kez-chat/attention") : undefined
  /** Messages that some tab shows already. */
  readonly #seen = new Set<string>()
  #home = ""
  #unread = -1
  #wantsToAsk = false

  constructor(host: ReactiveControllerHost, bound: Bound) {
    this.#bound = bound
    host.addController(this)
    this.#live = new LiveConversations(host, () => bound.client())
    // oxlint-disable-next-line no-new -- it acts by itself
    new ChatEvents(
      host,
      () => bound.client(),
      (event) => void this.#onEvent(event)
    )
    this.#tabs?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") this.#seen.add(data)
    })
  }

  hostConnected(): void {
    document.addEventListener("visibilitychange", this.#askAgain)
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.#askAgain)
  }

  hostUpdated(): void {
    const unread = unreadOf(this.#live.list ?? [])
    document.title = this.#bound.texts().title(this.#bound.title(), unread)
    if (unread === this.#unread) return
    this.#unread = unread
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
    if (icon !== null) icon.href = unread === 0 ? "./icon.svg" : "./icon-new.svg"
    const badge = unread === 0 ? navigator.clearAppBadge?.() : navigator.setAppBadge?.(unread)
    void badge?.catch(() => undefined)
  }

  async #onEvent(event: ChatEvent): Promise<void> {
    if (event._tag !== "Message" && event._tag !== "Request") return
    const { contact, message } = event
    if (message.direction !== "in" || contact.state === "blocked") return
    // Asked for each message, and the browser answers only the last of these questions slowly.
    const notifies = preference("notify") === "on"
    if (document.visibilityState === "visible" && document.hasFocus()) {
      if (notifies) this.#tabs?.postMessage(message.id)
      return
    }
    if (!("Notification" in globalThis)) return
    if (Notification.permission === "default") this.#wantsToAsk = true
    if (!notifies || Notification.permission !== "granted") return
    await new Promise((resolve) => setTimeout(resolve, handOverMillis))
    await navigator.locks.request(`kez-chat/notify/${message.id}`, { ifAvailable: true }, async (lock) => {
      if (lock === null || this.#seen.has(message.id)) return
      this.#tabs?.postMessage(message.id)
      await this.#notify(event)
      // Held until slower tabs have asked.
      await new Promise((resolve) => setTimeout(resolve, handOverMillis * 4))
    })
  }

  async #notify({ _tag, contact, message }: Extract<ChatEvent, { _tag: "Message" | "Request" }>): Promise<void> {
    const texts = this.#bound.texts()
    if (this.#home === "")
      this.#home =
        (
          await this.#bound
            .client()
            ?.account()
            .catch(() => undefined)
        )?.server ?? ""
    const isRequest = _tag === "Request"
    const title = isRequest ? texts.notifyRequest : texts.notifyWrote(displayName(contact.handle, this.#home))
    const body = !isRequest && preference("notify-text") === "on" ? message.text.slice(0, bodyCharacters) : undefined
    const route = isRequest
      ? ({ screen: "requests" } as const)
      : ({ screen: "conversation", who: contact.handle } as const)
    const options: NotificationOptions = {
      tag: isRequest ? "requests" : contact.primary,
      icon: new URL("icon-192.png", document.baseURI).href,
      data: { hash: hashOf(route) },
      ...(body === undefined ? {} : { body })
    }
    try {
      const notification = new Notification(title, options)
      notification.addEventListener("click", () => {
        window.focus()
        go(route)
        notification.close()
      })
    } catch {
      // Android admits only notifications of the service worker.
      await (await navigator.serviceWorker?.getRegistration())?.showNotification(title, options)
    }
  }

  /**
   * Asks for permission, once there was a message that this page could not tell of and the person is back. Browsers ask
   * only upon a click or a key.
   */
  readonly #askAgain = (): void => {
    if (document.visibilityState !== "visible" || !this.#wantsToAsk) return
    this.#wantsToAsk = false
    const ask = async () => {
      if ((await Notification.requestPermission()) === "granted") setPreference("notify", "on")
    }
    addEventListener("click", () => void ask().catch(() => undefined), { once: true })
  }
}
