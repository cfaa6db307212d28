import type { Rotation } from "@kez-chat/sdk/promise"
import type { WebAccount } from "@kez-chat/sdk/web-page"
import type { ReactiveController, ReactiveControllerHost } from "lit"
import type { RotationAction } from "../../components/part/Part.ts"
import type { RestoreWords } from "../../components/restore-words/RestoreWords.ts"
import { errorText, vaultReason } from "../../controllers/Errors.ts"
import { markWordsChecked } from "../../controllers/Preferences.ts"

/** A new key for the account, while the part of the settings about it is shown. The words are in this element only. */
export class OwnRotation implements ReactiveController {
  words: ReadonlyArray<string> = []
  rotation: Rotation | undefined
  movedTo = ""
  busy = false
  found: RestoreWords["found"]
  /** Words of the key that the account was handed over to. */
  entered = ""
  failed = ""

  readonly #host: ReactiveControllerHost
  readonly #accountOf: () => WebAccount | undefined
  readonly #wrongPassphrase: () => string

  constructor(host: ReactiveControllerHost, account: () => WebAccount | undefined, wrongPassphrase: () => string) {
    this.#host = host
    this.#accountOf = account
    this.#wrongPassphrase = wrongPassphrase
    host.addController(this)
  }

  hostDisconnected(): void {
    this.show(false)
  }

  /** Hidden, it forgets the words; what is begun goes on in the worker. */
  show(shown: boolean): void {
    if (shown) return void this.#load()
    this.words = []
    this.entered = ""
    this.found = undefined
    this.failed = ""
    if (this.rotation?.step === "finished") this.rotation = undefined
  }

  async #load(): Promise<void> {
    const client = this.#accountOf()?.client
    if (client === undefined) return
    try {
      const [account, rotation] = await Promise.all([client.account(), client.rotation()])
      this.movedTo = account.movedTo ?? ""
      this.rotation ??= rotation
    } catch (error) {
      this.failed = errorText(error)
    }
    this.#host.requestUpdate()
  }

  async act(action: RotationAction): Promise<void> {
    if (this.busy) return
    this.busy = true
    this.failed = ""
    this.entered = ""
    this.#host.requestUpdate()
    try {
      await this.#run(action, this.#accountOf()!)
    } catch (error) {
      this.failed = vaultReason(error) === "wrong_passphrase" ? this.#wrongPassphrase() : errorText(error)
    } finally {
      this.busy = false
      this.#host.requestUpdate()
    }
  }

  async #run(action: RotationAction, account: WebAccount): Promise<void> {
    switch (action._tag) {
      case "newWords":
        if (this.words.length === 0) this.words = (await account.newWords()).split(" ")
        return
      case "enterWords": {
        const checked = await account.checkWords(action.words)
        this.found = checked.ok ? undefined : checked
        if (checked.ok) this.entered = this.#next = checked.words
        return
      }
      case "followMove":
        await account.restore({ words: this.#next, passphrase: action.passphrase })
        this.#next = ""
        markWordsChecked()
        return this.#load()
      case "rotate": {
        const words = this.words.join(" ")
        const { passphrase } = action
        for await (const rotation of account.rotate({ passphrase, ...(words === "" ? {} : { words }) })) {
          this.rotation = rotation
          this.#host.requestUpdate()
        }
        markWordsChecked()
        this.words = []
      }
    }
  }

  #next = ""
}
