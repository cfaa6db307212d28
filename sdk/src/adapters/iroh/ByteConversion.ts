/**
 * Converts bytes for the Iroh binding and back. `@number0/iroh` 1.1 takes and returns arrays of numbers, at about 100 ns a
 * byte in and 170 ns a byte out; this conversion, not the network, limits its throughput. Plain loops add 1 and 3 ns;
 * `Array.from` and `new Uint8Array` would add 55 and 45, because the arrays that come out are not packed. A binding that
 * takes or returns typed arrays is detected and given them.
 */
import { pieceBytes } from "../blobs-core/TransferLimits.ts"

/** A call into the binding that takes bytes. It has read them when it returns. */
type Take = (bytes: Array<number>) => Promise<unknown>

/** Whether this binding takes typed arrays; not known before the first try. */
let takesTyped: boolean | undefined

/** Filled anew for every whole piece: allocating it costs more than filling it. */
const piece: Array<number> = []

const asArray = (bytes: Uint8Array): Array<number> => {
  const array = bytes.length === pieceBytes ? piece : []
  for (let i = 0; i < bytes.length; i++) array[i] = bytes[i] as number
  return array
}

/** Gives bytes to a call. They may be reused when it returns. */
export const give = (bytes: Uint8Array, take: Take): Promise<unknown> => {
  if (takesTyped !== false) {
    try {
      // Binding generators refuse what they cannot convert before anything is sent.
      const taken = take(bytes.slice() as unknown as Array<number>)
      takesTyped = true
      return taken
    } catch {
      takesTyped = false
    }
  }
  return take(asArray(bytes))
}

/** The bytes that a call has given. */
export const received = (given: Array<number> | Uint8Array): Uint8Array => {
  if (given instanceof Uint8Array) return given
  const bytes = new Uint8Array(given.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = given[i] as number
  return bytes
}

/** Short byte strings for calls that are not worth a try: keys, protocol names, reasons. */
export const numbers = (bytes: Uint8Array): Array<number> => Array.from(bytes)
