/** What is undone where a run is interrupted: by Ctrl-C, or by whoever started it. */
import { constants } from "node:os"

type Undo = () => unknown

const undos = new Set<Undo>()

/** Has something undone where the run is interrupted, until the function that it returns is called. */
export const whenInterrupted = (undo: Undo): (() => void) => {
  undos.add(undo)
  return () => void undos.delete(undo)
}

/** Undoes everything at such a signal, the latest first, and ends with 128 and its number; a second one ends at once. */
export const endOn = (...signals: ReadonlyArray<keyof typeof constants.signals>): void => {
  for (const signal of signals)
    process.once(signal, async () => {
      for (const undo of [...undos].toReversed()) {
        try {
          await undo()
        } catch {
          // What cannot be undone keeps nothing else from it.
        }
      }
      process.exit(128 + constants.signals[signal])
    })
}
