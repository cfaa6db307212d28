/**
 * Converts bytes for the Iroh binding. `@number0/iroh` 1.1 takes and returns arrays of numbers, at about 100 and 170 ns
 * a byte, which limits its throughput. Plain loops add 1 and 3 ns, `Array.from` and `new Uint8Array` 55 and 45, because
 * the returned arrays are not packed. A binding that takes or returns typed arrays is detected and gets them.
 */
import { pieceBytes } from "../blobs-core/TransferLimits.ts"

/** A call into the binding that takes bytes and has read them when it returns. */
type Take = (bytes: Array<number>) => Promise<unknown>

/** Whether this binding takes typed arrays; unknown before the first try. */
let takesTyped: boolean | undefined

/** Reused for every whole piece, because allocation costs more than filling. */
const piece: Array<number> = []

const asArray = (bytes: Uint8Array): Array<number> => {
  const array = bytes.length === pieceBytes ? piece : []
  for (let i = 0; i < bytes.length; i++) array[i] = bytes[i] as number
  return array
}

/** Passes bytes to a call. They may be reused when it returns. */
export const give = (bytes: Uint8Array, take: Take): Promise<unknown> => {
  if (takesTyped !== false) {
    try {
      // Binding generators reject values that they cannot convert before anything is sent.
      const taken = take(bytes.slice() as unknown as Array<number>)
      takesTyped = true
      return taken
    } catch {
      takesTyped = false
    }
  }
  return take(asArray(bytes))
}

/** The bytes that a call returned. */
export const received = (given: Array<number> | Uint8Array): Uint8Array => {
  if (given instanceof Uint8Array) return given
  const bytes = new Uint8Array(given.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = given[i] as number
  return bytes
}

/** Conversion for short values where detection is not worthwhile: keys, protocol names, reasons. */
export const numbers = (bytes: Uint8Array): Array<number> => Array.from(bytes)
