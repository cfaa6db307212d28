/** A screen that is no terminal and shows nothing. */
import * as Effect from "effect/Effect"
import { Screen } from "../../src/terminal/output/Screen.ts"
import { uncoloured } from "../../src/terminal/output/Style.ts"

/** `changes` replaces what a test looks at. */
export const screenDouble = (changes: Partial<Screen["Service"]> = {}): Screen["Service"] =>
  Screen.of({
    out: () => Effect.void,
    emit: () => Effect.void,
    err: () => Effect.void,
    outIsTerminal: false,
    outIsPipe: false,
    canRedraw: false,
    errIsTerminal: false,
    columns: Effect.undefined,
    errTerminal: { canRedraw: false, columns: () => 80, write: () => {}, onResize: () => () => {} },
    style: uncoloured,
    errStyle: uncoloured,
    ...changes
  })
