/** Commits numbered pairs until it is terminated, and posts each number after its commit returned. */
import { IndexedDbLocalStore } from "@kez-chat/sdk/indexeddb"
import * as Effect from "effect/Effect"

const filler = new Uint8Array(2_000).fill(1)

addEventListener("message", ({ data: { name, from } }: MessageEvent<{ name: string; from: number }>) => {
  Effect.gen(function* () {
    const store = yield* IndexedDbLocalStore.make({ name })
    for (let n = from; ; n++) {
      const number = String(n).padStart(9, "0")
      yield* store.commit([
        { op: "put", key: `a/${number}`, value: filler },
        { op: "put", key: `b/${number}`, value: filler }
      ])
      postMessage(n)
    }
  }).pipe(Effect.scoped, Effect.runFork)
})
