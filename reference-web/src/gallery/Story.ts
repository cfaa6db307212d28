import type { TemplateResult } from "lit"

/** A component in each of its states, for the gallery, for screenshots and for the accessibility test of every state. */
export interface Story {
  /** The element's tag. */
  readonly element: string
  readonly states: Readonly<Record<string, () => TemplateResult>>
  /** Each state fills a frame of this height in pixels, as a screen does; without it a state is as large as its content. */
  readonly height?: number
}
