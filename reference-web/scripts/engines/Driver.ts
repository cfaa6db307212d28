import type { ChildProcess } from "node:child_process"
import { once } from "node:events"

/** What the journeys need of a browser, whichever protocol it is driven by. */
export interface Driver {
  /** Name and version, as the browser gives them. */
  readonly version: string
  /** Opens a tab and gives its id. */
  open(): Promise<string>
  /** The page is gone, and another tab is in front once it is clicked. */
  close(tab: string): Promise<void>
  goto(tab: string, url: string): Promise<void>
  reload(tab: string): Promise<void>
  /** The value of an expression in the tab, as JSON; it may be a promise. No policy of the page applies to it. */
  evaluate(tab: string, expression: string): Promise<unknown>
  /** Input as WebDriver describes it, which is the same in both protocols. */
  act(tab: string, actions: ReadonlyArray<object>): Promise<void>
  /** Turns the wheel over a point of the viewport, by CSS pixels. */
  wheel(tab: string, at: { readonly x: number; readonly y: number }, deltaY: number): Promise<void>
  /** Sizes the viewport, in CSS pixels. */
  resize(tab: string, width: number, height: number): Promise<void>
  /** A picture of the viewport as PNG. */
  picture(tab: string): Promise<Buffer>
  quit(): Promise<void>
}

export const wheelAction = (at: { readonly x: number; readonly y: number }, deltaY: number): object => ({
  type: "wheel",
  id: "wheel",
  actions: [{ type: "scroll", ...at, deltaX: 0, deltaY }]
})

/** Ends a program and waits until it has. */
export const stop = async (program: ChildProcess): Promise<void> => {
  if (program.exitCode !== null || program.signalCode !== null) return
  program.kill()
  await once(program, "exit")
}
