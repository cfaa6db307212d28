import { ContextProvider } from "@lit/context"
import type { ConnectionState, KezChatClient } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { accountContext, clientContext } from "../context.ts"
import { ChatEvents } from "../controllers/ChatEvents.ts"
import { hashOf, parseRoute, type Route } from "../controllers/Route.ts"
import { StreamController } from "../controllers/StreamController.ts"
import "../elements/button/Button.ts"
import "../elements/note/Note.ts"
import { shared } from "../styles/shared.ts"
import { en, type Texts, textsContext } from "../texts/Texts.ts"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"
import { Attention } from "../controllers/Attention.ts"
import { styles } from "./App.styles.ts"
import { load } from "./screens.ts"
import { onKey } from "./onKey.ts"
import { reloadUnlessTyping } from "../reloadUnlessTyping.ts"

/** From this width on the list stands beside the conversation, and from the second one the profile too. */
const wide = matchMedia("(min-width: 48rem)")
const widest = matchMedia("(min-width: 80rem)")

/** How long without a connection before the page says so, in milliseconds. */
const graceMillis = 2000

/** The page: one screen for each state of the account, and when it is open one for each address. */
@customElement("kez-app")
export class App extends LitElement {
  static override styles = [shared, styles]

  @property({ attribute: false }) account: WebAccount | undefined
  @property({ attribute: false }) texts: Texts = en
  @state() private state: AccountState = { _tag: "starting" }
  /** The state that a screen began with which signs up, restores or unlocks: it stays until it has said how that went. */
  @state() private held: AccountState | undefined
  @state() private route: Route = parseRoute(location.hash)
  @state() private connection: ConnectionState | undefined
  @state() private offlineSince: number | undefined
  @state() private catchingUp: { readonly taken: number; readonly of: number } | undefined
  /** Why what arrives cannot be stored, or empty. */
  @state() private storeFailing = ""
  /** The account has a new key, and this browser the old one. */
  @state() private moved = false
  /** Heading of the screen, for the document's title. */
  @state() private heading = ""
  @state() private isWide = wide.matches
  @state() private isWidest = widest.matches

  protected readonly attention = new Attention(this, {
    client: () => this.#open,
    texts: () => this.texts.conversation,
    title: () => [this.heading, this.texts.common.appName].filter((text) => text !== "").join(" · ")
  })
  readonly #texts = new ContextProvider(this, { context: textsContext, initialValue: en })
  readonly #account = new ContextProvider(this, { context: accountContext })
  readonly #client = new ContextProvider(this, { context: clientContext })
  readonly #states = new StreamController<AccountState>(this, {
    open: () => this.account?.states(),
    onItem: (state) => {
      if (state._tag === "superseded" && this.#open !== undefined && this.held === undefined) reloadUnlessTyping()
      this.state = state
      if (this.#isReleased) this.held = undefined
      this.#isReleased = false
    }
  })
  readonly #connection = new StreamController<ConnectionState>(this, {
    open: (signal) => this.#open?.connection({ signal }),
    onItem: (connection) => this.#connected(connection)
  })
  readonly #catchingUp = new StreamController<{ readonly taken: number; readonly of: number }>(this, {
    open: (signal) => this.#open?.catchingUp({ signal }),
    onItem: (progress) => (this.catchingUp = progress.taken < progress.of ? progress : undefined)
  })
  // oxlint-disable-next-line no-unused-private-class-members -- it acts by itself
  readonly #events = new ChatEvents(
    this,
    () => this.#open,
    (event) => {
      if (event._tag === "StoreFailing") this.storeFailing = event.reason
      else if (event._tag === "StoreRecovered") this.storeFailing = ""
      else if (event._tag === "HandedOver") void this.#lookWhetherMoved()
    }
  )
  #graceTimer: ReturnType<typeof setTimeout> | undefined
  /** Whether `held` ends with the next state. */
  #isReleased = false

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener("keydown", onKey)
    addEventListener("hashchange", this.#navigated)
    wide.addEventListener("change", this.#resized)
    widest.addEventListener("change", this.#resized)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener("keydown", onKey)
    removeEventListener("hashchange", this.#navigated)
    wide.removeEventListener("change", this.#resized)
    widest.removeEventListener("change", this.#resized)
    clearTimeout(this.#graceTimer)
  }

  get #open(): KezChatClient | undefined {
    return this.state._tag === "open" ? this.account?.client : undefined
  }

  readonly #navigated = (): void => {
    this.route = parseRoute(location.hash)
    void this.#focusHeading()
  }

  readonly #resized = (): void => {
    this.isWide = wide.matches
    this.isWidest = widest.matches
  }

  #connected(connection: ConnectionState): void {
    this.connection = connection
    clearTimeout(this.#graceTimer)
    if (connection._tag === "Online") this.offlineSince = undefined
    else if (this.offlineSince === undefined) {
      const since = Date.now()
      this.#graceTimer = setTimeout(() => (this.offlineSince = since), graceMillis)
    }
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("texts")) this.#texts.setValue(this.texts)
    if (changed.has("account") && this.account !== undefined) {
      this.#account.setValue(this.account)
      this.#client.setValue(this.account.client)
      this.state = this.account.state
    }
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("state") || changed.has("route")) void this.#load()
    if (changed.has("account")) this.#states.restart()
    if (changed.has("state")) void this.#lookWhetherMoved()
    if (changed.has("state") && changed.get("state")?._tag !== this.state._tag) {
      this.storeFailing = ""
      this.#connection.restart()
      this.#catchingUp.restart()
    }
  }

  async #lookWhetherMoved(): Promise<void> {
    const account = await this.#open?.account().catch(() => undefined)
    this.moved = account?.movedTo !== undefined
  }

  /** Loads what is shown now; a part that was never loaded needs a moment. */
  async #load(): Promise<void> {
    try {
      await load(this.state, this.route)
    } catch (error) {
      // The server has a newer build, and this one's files no longer.
      if (navigator.onLine) reloadUnlessTyping()
      throw error
    }
    const screen = this.#screenElement()
    if (screen === null) return
    await screen.updateComplete
    this.heading = (screen as LitElement & { readonly heading?: string }).heading ?? ""
  }

  #screenElement(): LitElement | null {
    return this.renderRoot.querySelector<LitElement>(
      ".on-list kez-conversations, .columns:not(.on-list) main > *, .alone main > kez-about-screen, .alone > :not(main)"
    )
  }

  /** After navigation the focus is on the new screen's heading, where a screen reader begins, or on its one field. */
  async #focusHeading(): Promise<void> {
    await this.updateComplete
    await this.#load()
    const screen = this.#screenElement()
    const target = screen?.shadowRoot?.querySelector<HTMLElement>("[autofocus], h1")
    target?.focus({ preventScroll: true })
  }

  protected override render() {
    const state = this.held ?? this.state
    if (state._tag !== "open") return html`<div class="alone" @kez-held=${this.#hold}>${this.#closed(state)}</div>`
    return html`${this.#bars()} ${this.#screens(state)}`
  }

  readonly #hold = ({ detail }: CustomEvent<boolean>): void => {
    // A call's answer may be here before the state that it led to.
    this.#isReleased = !detail && this.state._tag === "opening"
    if (detail) this.held ??= this.state
    else if (!this.#isReleased) this.held = undefined
    if (!detail && this.state._tag === "superseded") reloadUnlessTyping()
  }

  #bars() {
    return html`<header class="bars">
      <a class="skip" href=${hashOf(this.route)} @click=${this.#skip}>${this.texts.common.skip}</a>
      <kez-status-bar
        .offlineSince=${this.offlineSince}
        .refused=${this.connection?._tag === "Offline" ? this.connection.error.reason : ""}
        .catchingUp=${this.catchingUp}
        .storeFailing=${this.storeFailing}
        .moved=${this.moved}
        @kez-try-now=${this.#tryNow}
      ></kez-status-bar>
    </header>`
  }

  readonly #tryNow = (): void => void this.#open?.nudge()

  /** While no account is open. */
  #closed(state: AccountState) {
    const { common } = this.texts
    switch (state._tag) {
      case "starting":
      case "opening":
        return html`<p class="loading" role="status">${common.loading}</p>`
      case "empty":
        return this.#explained(
          (hidden) =>
            html`<kez-welcome-screen
              ?hidden=${hidden}
              .lost=${state.lost}
              ?superseded=${state.superseded}
            ></kez-welcome-screen>`
        )
      case "locked":
        return html`<kez-unlock-screen .locked=${state}></kez-unlock-screen>`
      case "elsewhere":
        return html`<main class="message">
          <h1 tabindex="-1">${common.elsewhere}</h1>
          <kez-button kind="primary" @click=${() => this.account?.takeOver()}>${common.useHere}</kez-button>
        </main>`
      case "superseded":
        return html`<main class="message">
          <h1 tabindex="-1">${common.updateReady}</h1>
          <kez-button kind="primary" @click=${() => location.reload()}>${common.updateNow}</kez-button>
        </main>`
      case "broken":
        return html`<kez-broken-screen .broken=${state}></kez-broken-screen>`
      case "open":
        return nothing
    }
  }

  /** What is protected can be read before there is an account; the screen behind keeps what was begun. */
  #explained(screen: (hidden: boolean) => TemplateResult) {
    const about = this.route.screen === "about"
    return html`${about ? html`<main><kez-about-screen></kez-about-screen></main>` : nothing} ${screen(about)}`
  }

  #screens(state: Extract<AccountState, { _tag: "open" }>) {
    const { isWide, isWidest, route } = this
    const who = "who" in route ? route.who : ""
    const panel = isWidest && route.screen === "conversation" && who !== state.handle
    return html`<div
      class="columns ${isWide ? "" : "narrow"} ${route.screen === "list" ? "on-list" : ""} ${panel ? "with-panel" : ""}"
    >
      <nav aria-label=${this.texts.common.conversations}>
        ${isWide || route.screen === "list" ? html`<kez-conversations .selected=${who} .beside=${route.screen !== "list"}></kez-conversations>` : nothing}
      </nav>
      <main id="main" tabindex="-1">${this.#screen(route)}</main>
      ${panel ? html`<aside aria-label=${this.texts.common.profile}><kez-profile-screen panel .who=${who}></kez-profile-screen></aside>` : nothing}
    </div>`
  }

  readonly #skip = (event: Event): void => {
    event.preventDefault()
    void this.#focusHeading()
  }

  #screen(route: Route) {
    switch (route.screen) {
      case "list":
        return html`<p class="nothing">${this.texts.common.nothingOpen}</p>`
      case "conversation":
        return html`<kez-conversation-screen .who=${route.who} .at=${route.at}></kez-conversation-screen>`
      case "profile":
        return html`<kez-profile-screen .who=${route.who}></kez-profile-screen>`
      case "safety":
        return html`<kez-safety-screen .who=${route.who}></kez-safety-screen>`
      case "files":
        return html`<kez-files-screen .who=${route.who}></kez-files-screen>`
      case "new":
        return html`<kez-new-screen></kez-new-screen>`
      case "requests":
        return html`<kez-requests-screen></kez-requests-screen>`
      case "search":
        return html`<kez-search-screen .query=${route.query} .who=${route.who}></kez-search-screen>`
      case "settings":
        return html`<kez-settings-screen .section=${route.part}></kez-settings-screen>`
      case "about":
        return html`<kez-about-screen></kez-about-screen>`
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-app": App
  }
}
