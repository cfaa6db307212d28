import { consume } from "@lit/context"
import type { ListedFile, Listing } from "@kez-chat/sdk/promise"
import { FileName } from "@kez-chat/sdk/protocol"
import { html, LitElement, nothing, type TemplateResult } from "lit"
import { customElement, property, state } from "lit/decorators.js"
import { byteSize } from "../../model/Bytes.ts"
import { dayInSentence } from "../../model/DayInSentence.ts"
import { fullDate } from "../../model/Moment.ts"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../elements/button/Button.ts"
import "../../elements/copy/Copy.ts"
import "../../elements/icon/Icon.ts"
import "../../elements/note/Note.ts"
import { fetchCommand } from "./FetchCommand.ts"
import { styles } from "./FileList.styles.ts"

/** How many files are shown before more are asked for. */
const partFiles = 100

/** Files by folder, those without one first, and in each folder the newest first. */
const byFolder = (files: ReadonlyArray<ListedFile>): ReadonlyArray<readonly [string, ReadonlyArray<ListedFile>]> => {
  const folders = new Map<string, Array<ListedFile>>()
  for (const file of files.toSorted((one, other) => other.sharedAt - one.sharedAt)) {
    const folder = file.folder ?? ""
    const inFolder = folders.get(folder)
    if (inFolder === undefined) folders.set(folder, [file])
    else inFolder.push(file)
  }
  return [...folders].sort(([one], [other]) => one.localeCompare(other))
}

/** The files that somebody shares, with the command that downloads each. */
@customElement("kez-file-list")
export class FileList extends LitElement {
  static override styles = [shared, styles]

  @property({ attribute: false }) listing: Listing | undefined
  /** The name to speak of. */
  @property() name = ""
  /** How the CLI names the owner. */
  @property() who = ""
  /** Name of the home server. */
  @property() server = ""
  /** It is the user's own list. */
  @property({ type: Boolean }) own = false
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @state() private isAll = false
  @state() private limit = partFiles

  protected override render() {
    const { listing } = this
    if (listing === undefined) return nothing
    const { people } = this.texts
    const { createdAt, files, source } = listing
    const newest = files.filter(({ replacedBy }) => replacedBy === undefined)
    const older = files.length - newest.length
    const all = this.isAll ? files : newest
    const folders = byFolder(all)
    const hidden = all.length - this.limit
    let left = this.limit
    return html`${
      source === "kept" && createdAt !== undefined
        ? html`<kez-note live>${people.filesStale(dayInSentence(createdAt, Date.now()), this.server)}</kez-note>`
        : nothing
    }
    ${
      newest.length === 0
        ? html`<p>${this.own ? people.filesNoneOwn : people.filesNone(this.name)}</p>`
        : html`<div class="intro soft">
            <p>${people.filesCount(newest.length, byteSize(newest.reduce((sum, { size }) => sum + size, 0)))}</p>
            ${this.own ? nothing : html`<p>${people.filesWhen(this.name)} ${people.filesGetCli}</p>`}
          </div>`
    }
    ${folders.map(([folder, inFolder]) => {
      const shown = inFolder.slice(0, Math.max(0, left))
      left -= shown.length
      return shown.length === 0 ? nothing : this.#folder(folder, shown)
    })}
    ${
      hidden > 0
        ? html`<kez-button @click=${() => (this.limit += partFiles)}
            >${people.filesPart(Math.min(hidden, partFiles))}</kez-button
          >`
        : nothing
    }
    ${
      older > 0
        ? html`<kez-button kind="quiet" @click=${() => (this.isAll = !this.isAll)}
            >${this.isAll ? people.filesNewestOnly : people.filesOlder(older)}</kez-button
          >`
        : nothing
    }`
  }

  #folder(folder: string, files: ReadonlyArray<ListedFile>): TemplateResult {
    return html`<section>
      ${
        folder === ""
          ? nothing
          : html`<h2><kez-icon name="folder"></kez-icon><bdi>${FileName.display(folder)}</bdi></h2>`
      }
      <ul>
        ${files.map((file) => this.#file(file))}
      </ul>
    </section>`
  }

  #file(file: ListedFile): TemplateResult {
    const { common, people } = this.texts
    const facts = [
      byteSize(file.size),
      fullDate(file.sharedAt),
      ...(file.public ? [people.filesPublic] : []),
      ...(file.replacedBy === undefined ? [] : [people.filesOlderMark])
    ]
    return html`<li class=${file.replacedBy === undefined ? "" : "older"}>
      <p class="name"><bdi>${FileName.display(file.name)}</bdi></p>
      <p class="soft">${facts.join(" · ")}</p>
      ${
        this.own
          ? nothing
          : html`<p class="cli"><kez-icon name="down"></kez-icon>${people.filesNeedCli}</p>
              <kez-copy
                .text=${fetchCommand(this.who, file)}
                .label=${common.copy}
                .copiedLabel=${common.copied}
              ></kez-copy>`
      }
    </li>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-file-list": FileList
  }
}
