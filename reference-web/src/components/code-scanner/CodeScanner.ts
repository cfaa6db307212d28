import { consume } from "@lit/context"
import { css, html, LitElement, nothing, type PropertyValues } from "lit"
import { customElement, property, query, state } from "lit/decorators.js"
import { shared } from "../../styles/shared.ts"
import { en, type Texts, textsContext } from "../../texts/Texts.ts"
import "../../elements/note/Note.ts"

/** Pause between two looks at the picture, in milliseconds. */
const lookMillis = 150
/** Longer side of the picture that is searched, in pixels: enough for a code that fills a third of it. */
const sidePixels = 800

export type CameraState = "asking" | "running" | "refused" | "missing"

/**
 * Looks for a QR code with the camera while it is connected. The decoder is loaded on first use.
 *
 * @fires kez-scan - A code was read; it goes on looking.
 */
@customElement("kez-code-scanner")
export class CodeScanner extends LitElement {
  static override styles = [
    shared,
    css`
      .view {
        max-width: 24rem;
        overflow: hidden;
        aspect-ratio: 4 / 3;
        border-radius: var(--radius-card);
        background: #000000;
      }
      video {
        display: block;
        width: 100%;
        height: 100%;
        object-fit: cover;
      }
      p {
        margin-top: var(--space-2);
        color: var(--soft);
        font-size: var(--text-small);
      }
    `
  ]

  /** The name of the one whose code it is. */
  @property() name = ""
  @property() camera: CameraState = "asking"
  @consume({ context: textsContext, subscribe: true }) @state() private texts: Texts = en
  @query("video") private readonly video!: HTMLVideoElement | null
  #stream: MediaStream | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.camera === "asking") void this.#start()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
    this.#stream?.getTracks().forEach((track) => track.stop())
    this.#stream = undefined
    if (this.camera === "running") this.camera = "asking"
  }

  protected override render() {
    const { people } = this.texts
    if (this.camera === "refused" || this.camera === "missing") {
      return html`<kez-note kind="warn" live
        >${this.camera === "refused" ? people.scanRefused : people.scanMissing}</kez-note
      >`
    }
    return html`<div class="view">
        ${this.camera === "running" ? html`<video playsinline muted autoplay></video>` : nothing}
      </div>
      <p>${this.camera === "asking" ? people.scanAsking : people.scanHint(this.name)}</p>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { video } = this
    if (!changed.has("camera") || video === null || this.#stream === undefined) return
    video.srcObject = this.#stream
    // Where a page may not start a video by itself, the attribute does it.
    video.play().catch(() => undefined)
    void this.#look()
  }

  async #start(): Promise<void> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } })
      if (!this.isConnected) return stream.getTracks().forEach((track) => track.stop())
      this.#stream = stream
      this.camera = "running"
    } catch (error) {
      // Outside of https there is no `mediaDevices` at all.
      this.camera = error instanceof DOMException && error.name === "NotAllowedError" ? "refused" : "missing"
    }
  }

  async #look(): Promise<void> {
    const { decodeQR } = await import("qr/decode.js")
    const canvas = document.createElement("canvas")
    const context = canvas.getContext("2d", { willReadFrequently: true })
    const look = (): void => {
      const { video } = this
      if (!this.isConnected || context === null || video === null) return
      const scale = Math.min(1, sidePixels / Math.max(video.videoWidth, video.videoHeight, 1))
      const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)]
      if (width > 0 && height > 0) {
        canvas.width = width
        canvas.height = height
        context.drawImage(video, 0, 0, width, height)
        const text = decoded(() => decodeQR(context.getImageData(0, 0, width, height)))
        if (text !== undefined) this.dispatchEvent(new CustomEvent("kez-scan", { detail: { text } }))
      }
      this.#timer = setTimeout(look, lookMillis)
    }
    look()
  }
}

/** The decoder throws where it finds no code. */
const decoded = (decode: () => string): string | undefined => {
  try {
    return decode()
  } catch {
    return undefined
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "kez-code-scanner": CodeScanner
  }
  interface HTMLElementEventMap {
    "kez-scan": CustomEvent<{ readonly text: string }>
  }
}
