/** A device that loses its power: whatever its store committed after the last synchronisation may be gone. */
import { Effect, Option } from "effect"
import { LocalStore, type Write } from "@kez-chat/sdk/services"
import { type Device, newDevice } from "./People.ts"

/** A commit that is not on the disk, and the values that it replaced. */
type Undo = ReadonlyArray<Write>

/**
 * A new device, and what loses its power: of the commits after those that a completed `sync` covers, the first `kept`
 * are there afterwards, and the others gone, each as a whole. Nothing may use the store at that moment.
 */
export const powered = () => {
  const device = newDevice()
  const inner = device.store
  let undos: Array<Undo> = []

  const inverse = (writes: ReadonlyArray<Write>) =>
    Effect.forEach([...new Set(writes.map(({ key }) => key))], (key) =>
      Effect.map(
        inner.get(key),
        Option.match({
          onNone: (): Write => ({ op: "delete", key }),
          onSome: (value): Write => ({ op: "put", key, value })
        })
      )
    )

  const store = LocalStore.of({
    ...inner,
    commit: (writes) =>
      Effect.gen(function* () {
        const undo = yield* inverse(writes)
        yield* inner.commit(writes)
        undos.push(undo)
      }),
    sync: Effect.gen(function* () {
      const last = undos.at(-1)
      // Others commit meanwhile, as they do behind a disk.
      yield* Effect.sleep(1)
      if (last !== undefined) undos = undos.slice(undos.indexOf(last) + 1)
    })
  })

  const losePower = (kept: number) =>
    Effect.gen(function* () {
      for (const undo of undos.slice(kept).toReversed()) yield* inner.commit(undo)
      undos = []
    })

  return { device: { ...device, store } satisfies Device, losePower }
}
