/** What a list of writes amounts to. */
import * as Result from "effect/Result"
import { StoreConflict, type Write } from "../../services/LocalStore.ts"

/** For each key that a commit writes, a copy of its last value, or undefined where it is deleted. */
export type Staged = ReadonlyMap<string, Uint8Array<ArrayBuffer> | undefined>

/** Checks the conditions of a commit; `present` tells which keys exist before it. */
export const stage = (
  writes: ReadonlyArray<Write>,
  present: (key: string) => boolean
): Result.Result<Staged, StoreConflict> => {
  const staged = new Map<string, Uint8Array<ArrayBuffer> | undefined>()
  for (const write of writes) {
    if (write.op === "delete") staged.set(write.key, undefined)
    else if (
      write.ifAbsent === true &&
      (staged.has(write.key) ? staged.get(write.key) !== undefined : present(write.key))
    ) {
      return Result.fail(new StoreConflict({ key: write.key }))
    } else staged.set(write.key, new Uint8Array(write.value))
  }
  return Result.succeed(staged)
}
