import { consume } from "@lit/context"
import type { InboxUsage, KezChatClient, Settings } from "@kez-chat/sdk/promise"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { type Action, isRotation, type ProofAction, type RotationAction } from "../../components/part/Part.ts"
import "../../components/settings-about/SettingsAbout.ts"
import "../../components/settings-account/SettingsAccount.ts"
import "../../components/settings-appearance/SettingsAppearance.ts"
import "../../components/settings-danger/SettingsDanger.ts"
import "../../components/settings-export/SettingsExport.ts"
import "../../components/settings-keys/SettingsKeys.ts"
import { isPart, type PartName } from "../../components/settings-list/SettingsList.ts"
import "../../components/settings-notifications/SettingsNotifications.ts"
import "../../components/settings-privacy/SettingsPrivacy.ts"
import "../../components/settings-proofs/SettingsProofs.ts"
import "../../components/settings-rotate/SettingsRotate.ts"
import "../../components/settings-storage/SettingsStorage.ts"
import type { StorageUsage } from "../../components/settings-storage/SettingsStorage.ts"
import "../../components/settings-words/SettingsWords.ts"
import { focusStep } from "../../components/step/Step.ts"
import "../../components/words-check/WordsCheck.ts"
import { printWords } from "../../components/words-sheet/WordsSheet.ts"
import { accountContext, clientContext } from "../../context.ts"
import { fullDate } from "../../model/Moment.ts"
import { errorText, vaultReason } from "../../controllers/Errors.ts"
import { createPasskey, passkeysAvailable } from "../../controllers/Passkey.ts"
import {
  forgetAccount,
  markWordsChecked,
  type Preference,
  preference,
  setPreference,
  wordsCheckedAt,
  wordsCheckedLately,
  wordsReminderDue
} from "../../controllers/Preferences.ts"
import { StreamController } from "../../controllers/StreamController.ts"
import { saveLines } from "../../controllers/SaveLines.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import type { AccountState, WebAccount } from "@kez-chat/sdk/web-page"
import { pageAddress } from "../sign-up/SignUp.ts"
import { OwnProofs } from "./OwnProofs.ts"
import { OwnRotation } from "./OwnRotation.ts"

declare const BUILD_TIME: string | undefined

/** Settings: the list of parts, or one of them. */
@customElement("kez-settings-screen")
export class SettingsScreen extends LitElement {
  static override styles = [shared]

  /** One of the parts, or empty for the list. */
  @property() section = ""
  @consume({ context: accountContext, subscribe: true }) @state() private account: WebAccount | undefined
  @consume({ context: clientContext, subscribe: true }) @state() private client: KezChatClient | undefined
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private settings: Settings | undefined
  @state() private storage: StorageUsage | undefined
  @state() private inbox: InboxUsage | undefined
  @state() private passkeys = false
  @state() private words: ReadonlyArray<string> = []
  @state() private checking = false
  @state() private suggested = ""
  @state() private count: number | undefined
  @state() private busy: "" | Action["_tag"] = ""
  @state() private box: "mail" | "sent" = "mail"
  @state() private done: "" | Action["_tag"] = ""
  @state() private failed = ""
  readonly #proofs = new OwnProofs(this, () => this.client)
  readonly #rotation = new OwnRotation(
    this,
    () => this.account,
    () => this.texts.settings.passphraseWrong
  )

  constructor() {
    super()
    // Added and removed passkeys arrive with the account's state.
    this.addController(
      new StreamController<AccountState>(this, {
        open: () => this.account?.states(),
        onItem: () => this.requestUpdate()
      })
    )
  }

  /** For the document's title. */
  get heading(): string {
    const { parts, title } = this.texts.settings
    return isPart(this.section) ? parts[this.section].title : title
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.words = []
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("section")) return
    this.words = []
    this.checking = false
    this.failed = ""
    this.done = ""
    this.count = undefined
    this.#proofs.show(this.section === "proofs")
    this.#rotation.show(this.section === "rotate")
    void this.#load()
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("checking") && changed.get("checking") !== undefined) void focusStep(this)
  }

  /** Reads what the part shows. A part that cannot be read says why, and the others still work. */
  async #load(): Promise<void> {
    const { account, client, section } = this
    if (account === undefined || client === undefined) return
    const read = async <A>(value: Promise<A>, take: (value: A) => void) => {
      try {
        take(await value)
      } catch (error) {
        if (this.section === section) this.failed = errorText(error)
      }
    }
    const settings = () => read(client.settings(), (settings) => (this.settings = settings))
    const storage = () => read(account.storage(), (storage) => (this.storage = storage))
    switch (section) {
      case "privacy":
        return settings()
      case "storage":
        await Promise.all([settings(), storage(), read(client.inbox(), (inbox) => (this.inbox = inbox))])
        return
      case "danger":
        return storage()
      case "words":
        this.passkeys = await passkeysAvailable()
    }
  }

  get #open() {
    const state = this.account?.state
    return state?._tag === "open" ? state : undefined
  }

  get #handle(): string {
    return this.#open?.handle ?? ""
  }

  get #primary(): string {
    return this.#open?.primary ?? ""
  }

  protected override render() {
    return html`<div
      @kez-settings=${this.#change}
      @kez-preference=${this.#prefer}
      @kez-action=${(event: CustomEvent<Action>) => this.#act(event.detail)}
    >
      ${this.#part(isPart(this.section) ? this.section : undefined)}
    </div>`
  }

  #part(part: PartName | undefined) {
    const server = this.account?.home.name ?? ""
    switch (part) {
      case undefined:
        return html`<kez-settings-list
          data-step
          .handle=${this.#handle}
          .primary=${this.#primary}
          .reminder=${wordsReminderDue()}
        ></kez-settings-list>`
      case "account":
        return html`<kez-settings-account
          data-step
          .handle=${this.#handle}
          .primary=${this.#primary}
        ></kez-settings-account>`
      case "proofs":
        return html`<kez-settings-proofs
          data-step
          .claims=${this.#proofs.claims}
          .provings=${this.#proofs.provings}
          .looking=${this.#proofs.looking}
          .busy=${this.#proofs.busy}
          .needsCli=${this.#proofs.needsCli}
          .recorded=${this.#proofs.recorded}
          .failed=${this.#proofs.failed}
        ></kez-settings-proofs>`
      case "privacy":
        return html`<kez-settings-privacy
          data-step
          .settings=${this.settings}
          .failed=${this.failed}
        ></kez-settings-privacy>`
      case "notifications":
        return html`<kez-settings-notifications
          data-step
          .notify=${preference("notify") === "on"}
          .withText=${preference("notify-text") === "on"}
          .permission=${"Notification" in globalThis ? Notification.permission : "none"}
        ></kez-settings-notifications>`
      case "appearance":
        return html`<kez-settings-appearance
          data-step
          .theme=${preference("theme")}
          .enter=${preference("enter")}
        ></kez-settings-appearance>`
      case "storage":
        return html`<kez-settings-storage
          data-step
          .server=${server}
          .usage=${this.storage}
          .inbox=${this.inbox}
          .autoTrim=${this.settings?.autoTrim ?? false}
          .trimming=${this.busy === "trim" ? this.box : ""}
          .trimmed=${this.done === "trim"}
          .failed=${this.failed}
        ></kez-settings-storage>`
      case "words":
        return this.checking
          ? html`<kez-words-check
              data-step
              .words=${this.words}
              @kez-next=${this.#checked}
              @kez-back=${this.#stopChecking}
            ></kez-words-check>`
          : html`<kez-settings-words
              data-step
              .handle=${this.#handle}
              .words=${this.words}
              .checkedAt=${wordsCheckedAt()}
              .slots=${this.#open?.slots ?? []}
              .passkeys=${this.passkeys}
              .askOnReload=${this.account?.askOnReload ?? false}
              .suggested=${this.suggested}
              .busy=${this.busy}
              .done=${this.done}
              .failed=${this.failed}
            ></kez-settings-words>`
      case "rotate":
        return html`<kez-settings-rotate
          data-step
          .server=${server}
          .words=${this.#rotation.words}
          .rotation=${this.#rotation.rotation}
          .movedTo=${this.#rotation.movedTo}
          .busy=${this.#rotation.busy}
          .found=${this.#rotation.found}
          .entered=${this.#rotation.entered}
          .failed=${this.#rotation.failed}
        ></kez-settings-rotate>`
      case "export":
        return html`<kez-settings-export
          data-step
          .count=${this.count}
          .busy=${this.busy === "export"}
          .failed=${this.failed}
        ></kez-settings-export>`
      case "keys":
        return html`<kez-settings-keys data-step></kez-settings-keys>`
      case "about":
        return html`<kez-settings-about data-step .server=${server} .version=${version}></kez-settings-about>`
      case "danger":
        return html`<kez-settings-danger
          data-step
          .handle=${this.#handle}
          .messages=${this.storage?.messages ?? 0}
          .wordsChecked=${wordsCheckedLately()}
          .busy=${this.busy !== ""}
          .failed=${this.failed}
        ></kez-settings-danger>`
      default:
        return nothing
    }
  }

  readonly #change = async (event: CustomEvent<Partial<Settings>>): Promise<void> => {
    const before = this.settings
    if (before !== undefined) this.settings = { ...before, ...event.detail }
    this.failed = ""
    try {
      this.settings = await this.client!.updateSettings(event.detail)
    } catch (error) {
      this.settings = before
      this.failed = errorText(error)
    }
  }

  readonly #prefer = async (event: CustomEvent<readonly [name: Preference, value: string]>): Promise<void> => {
    const [name, value] = event.detail
    // The browser may be asked only now, on the person's own click.
    const asked = name === "notify" && value === "on" && "Notification" in globalThis
    const refused = asked && (await Notification.requestPermission()) !== "granted"
    setPreference(name, refused ? "off" : value)
    this.requestUpdate()
  }

  async #act(action: Action): Promise<void> {
    if ("subject" in action) return this.#proofs[action._tag](action.subject)
    if (isRotation(action)) return this.#rotation.act(action)
    if (this.busy !== "") return
    this.busy = action._tag
    this.done = ""
    this.failed = ""
    try {
      await this.#run(action)
      this.done = action._tag
    } catch (error) {
      const wrong = vaultReason(error) === "wrong_passphrase"
      this.failed =
        action._tag === "addPasskey"
          ? this.texts.signUp.passkeyFailed
          : wrong
            ? this.texts.settings.passphraseWrong
            : errorText(error)
    } finally {
      this.busy = ""
    }
  }

  async #run(action: Exclude<Action, ProofAction | RotationAction>): Promise<unknown> {
    const account = this.account!
    const client = this.client!
    switch (action._tag) {
      case "lock":
        return account.lock()
      case "logOut":
        await account.logOut()
        return forgetAccount()
      case "deleteAccount":
        await client.deleteAccount()
        await account.logOut()
        return forgetAccount()
      case "persist":
        await navigator.storage.persist()
        this.storage = await account.storage()
        return
      case "trim":
        this.box = action.box
        this.inbox = await client.trim(action.box)
        return
      case "export": {
        this.count = 0
        const name = `kez-chat-${this.#handle.replace("@", "-at-")}.jsonl`
        this.count = await saveLines(name, client.export(), (count) => (this.count = count))
        return
      }
      case "showWords":
      case "checkWords":
        this.words = (await account.revealWords({ passphrase: action.passphrase })).split(" ")
        this.checking = action._tag === "checkWords"
        return
      case "hideWords":
        this.words = []
        return
      case "printWords":
        return printWords({
          words: this.section === "rotate" ? this.#rotation.words : this.words,
          handle: this.#handle,
          address: pageAddress()
        })
      case "suggest":
        this.suggested = (await account.newWords()).split(" ").slice(0, 4).join(" ")
        return
      case "changePassphrase":
        await account.changePassphrase({ passphrase: action.passphrase, next: action.next })
        this.suggested = ""
        return
      case "addPasskey":
        return account.addPasskey(await createPasskey(this.#handle))
      case "removePasskey":
        return account.removePasskey(action.credentialId)
      case "askOnReload":
        account.askOnReload = action.on
        return
    }
  }

  readonly #checked = (): void => {
    markWordsChecked()
    this.#stopChecking()
  }

  readonly #stopChecking = (): void => {
    this.words = []
    this.checking = false
  }
}

/** When this page was built, as far as it was built. */
const version = typeof BUILD_TIME === "string" ? fullDate(Number(BUILD_TIME) * 1000) : ""

declare global {
  interface HTMLElementTagNameMap {
    "kez-settings-screen": SettingsScreen
  }
}
