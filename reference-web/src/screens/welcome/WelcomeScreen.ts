import { consume } from "@lit/context"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { focusStep } from "../../components/step/Step.ts"
import "../../components/welcome/Welcome.ts"
import { accountContext } from "../../context.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import "../restore/Restore.ts"
import { homeDescription } from "../../model/HomeDescription.ts"
import "../sign-up/SignUp.ts"
import { reloadUnlessTyping } from "../../reloadUnlessTyping.ts"

/** Between questions whether the home server answers, in milliseconds. */
const againMillis = 10_000

/**
 * No account in this browser: the first screen, and from it signing up or restoring.
 *
 * @fires kez-held - `detail` true: an account is being made here, so that this screen must stay whatever the account's
 * state, until `detail` false.
 */
@customElement("kez-welcome-screen")
export class WelcomeScreen extends LitElement {
  static override styles = [shared]

  /** The handle that this browser held before its storage was cleared. */
  @property() lost: string | undefined
  /** A newer build of the page is open: this one reloads, unless something was begun here. */
  @property({ type: Boolean }) superseded = false
  @consume({ context: accountContext, subscribe: true }) @state() private account: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private way: "welcome" | "sign-up" | "restore" = "welcome"
  /** Signing up keeps its words while the person looks at the first screen again. */
  @state() private signingUp = false
  @state() private unreachable = false
  @state() private closed = false
  @state() private contact = ""
  #timer: ReturnType<typeof setTimeout> | undefined

  /** For the document's title. */
  get heading(): string {
    return this.texts.common.appName
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#look()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  /** Asks the home server for its description, until it answers. */
  async #look(): Promise<void> {
    if (this.account === undefined) return
    const description = await homeDescription(this.account.home.url)
    this.closed = description?.registration === "closed"
    this.contact = description?.operator.contact ?? ""
    this.unreachable = description === undefined
    if (this.unreachable && this.isConnected) this.#timer = setTimeout(() => void this.#look(), againMillis)
  }

  protected override updated(changed: PropertyValues): void {
    if (this.superseded && this.way === "welcome" && !this.signingUp) reloadUnlessTyping()
    if (changed.has("way") && changed.get("way") !== undefined) void this.#focus()
  }

  async #focus(): Promise<void> {
    if (this.way === "welcome") return focusStep(this)
    await this.updateComplete
    const flow = this.renderRoot.querySelector<LitElement>(`kez-${this.way}`)
    if (flow !== null) await focusStep(flow)
  }

  protected override render() {
    const back = () => (this.way = "welcome")
    return html`<main>
      ${
        this.way === "welcome"
          ? html`<kez-welcome
              data-step
              .server=${this.account?.home.name ?? ""}
              .lost=${this.lost ?? ""}
              .unreachable=${this.unreachable}
              .closed=${this.closed}
              .contact=${this.contact}
              @kez-sign-up=${this.#signUp}
              @kez-restore=${() => (this.way = "restore")}
            ></kez-welcome>`
          : nothing
      }
      ${this.signingUp ? html`<kez-sign-up ?hidden=${this.way !== "sign-up"} @kez-back=${back}></kez-sign-up>` : nothing}
      ${
        this.way === "restore"
          ? html`<kez-restore .handle=${this.lost ?? ""} @kez-back=${back}></kez-restore>`
          : nothing
      }
    </main>`
  }

  readonly #signUp = (): void => {
    this.signingUp = true
    this.way = "sign-up"
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-welcome-screen": WelcomeScreen
  }
}
