import { consume } from "@lit/context"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import "../../components/confirm-dialog/ConfirmDialog.ts"
import { focusStep } from "../../components/step/Step.ts"
import "../../components/unlock-form/UnlockForm.ts"
import type { UnlockForm, UnlockProblem } from "../../components/unlock-form/UnlockForm.ts"
import { accountContext } from "../../context.ts"
import { errorText, vaultReason } from "../../controllers/Errors.ts"
import { passkeysAvailable, usePasskey } from "../../controllers/Passkey.ts"
import { forgetAccount, wordsCheckedLately } from "../../controllers/Preferences.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { AccountState, VaultSlot, WebAccount } from "@kez-chat/sdk/web-page"
import "../restore/Restore.ts"

/**
 * The account of this browser is locked: passphrase, passkey or words open it.
 *
 * @fires kez-held - `detail` true: it must stay on the page whatever the account's state, until `detail` false.
 */
@customElement("kez-unlock-screen")
export class UnlockScreen extends LitElement {
  static override styles = [shared]

  @property({ attribute: false }) locked: Extract<AccountState, { _tag: "locked" }> | undefined
  @consume({ context: accountContext, subscribe: true }) @state() private account: WebAccount | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private busy = false
  @state() private problem: UnlockProblem = ""
  @state() private passkeys = false
  @state() private restoring = false
  @state() private loggingOut = false

  /** For the document's title. */
  get heading(): string {
    return this.texts.signUp.unlock
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void passkeysAvailable().then((available) => (this.passkeys = available))
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("restoring") && changed.get("restoring") !== undefined) void this.#focus()
  }

  async #focus(): Promise<void> {
    await this.updateComplete
    await focusStep(this.renderRoot.querySelector("kez-restore") ?? this)
  }

  get #slots(): ReadonlyArray<Extract<VaultSlot, { kind: "passkey" }>> {
    return this.locked?.slots.filter((slot) => slot.kind === "passkey") ?? []
  }

  protected override render() {
    if (this.locked === undefined) return nothing
    const { handle, primary } = this.locked
    const { signUp } = this.texts
    if (this.restoring)
      return html`<main>
        <kez-restore .handle=${handle} @kez-back=${() => (this.restoring = false)}></kez-restore>
      </main>`
    return html`<main>
        <kez-unlock-form
          data-step
          .handle=${handle}
          .primary=${primary}
          .passkey=${this.passkeys && this.#slots.length > 0}
          .busy=${this.busy}
          .problemFound=${this.problem}
          @kez-unlock=${(event: CustomEvent<string>) => this.#unlock({ passphrase: event.detail })}
          @kez-passkey=${this.#passkey}
          @kez-restore=${() => (this.restoring = true)}
          @kez-log-out=${() => (this.loggingOut = true)}
        ></kez-unlock-form>
      </main>
      <kez-confirm-dialog
        heading=${signUp.logOut}
        text=${signUp.logOutLocked}
        action=${signUp.logOut}
        .type=${wordsCheckedLately() ? "" : handle}
        .open=${this.loggingOut}
        @kez-close=${() => (this.loggingOut = false)}
        @kez-done=${this.#logOut}
      ></kez-confirm-dialog>`
  }

  readonly #logOut = async (): Promise<void> => {
    await this.account?.logOut()
    forgetAccount()
  }

  async #unlock(key: Parameters<WebAccount["unlock"]>[0]): Promise<void> {
    this.busy = true
    this.problem = ""
    // Meanwhile the account is neither locked nor open, and this screen says how it went.
    this.#hold(true)
    try {
      await this.account!.unlock(key)
    } catch (error) {
      const reason = vaultReason(error)
      this.problem =
        reason === "damaged"
          ? "damaged"
          : reason === "wrong_passphrase"
            ? "passphrase" in key
              ? "wrong"
              : "passkey"
            : { detail: errorText(error) }
      await this.updateComplete
      this.renderRoot.querySelector<UnlockForm>("kez-unlock-form")?.focusField()
    } finally {
      this.busy = false
      this.#hold(false)
    }
  }

  #hold(held: boolean): void {
    this.dispatchEvent(new CustomEvent("kez-held", { detail: held, bubbles: true, composed: true }))
  }

  readonly #passkey = async (): Promise<void> => {
    try {
      await this.#unlock(await usePasskey(this.#slots))
    } catch {
      this.problem = "passkey"
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-unlock-screen": UnlockScreen
  }
}
