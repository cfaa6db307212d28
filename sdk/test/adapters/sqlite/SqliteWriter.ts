/** Commits numbered pairs until it is killed, and says each number after its commit returned. Run by sqlite.test.ts. */
import { Effect } from "effect"
import { SqliteLocalStore } from "@kez-chat/sdk/sqlite"

const path = process.argv[2]!
const from = Number(process.argv[3])
const filler = new Uint8Array(2_000).fill(1)

await Effect.gen(function* () {
  const store = yield* SqliteLocalStore.make({ path })
  for (let n = from; ; n++) {
    const name = String(n).padStart(9, "0")
    yield* store.commit([
      { op: "put", key: `a/${name}`, value: filler },
      { op: "put", key: `b/${name}`, value: filler }
    ])
    // Written before the next commit, however slowly it is read.
    yield* Effect.callback<void>((resume) => void process.stdout.write(`${n}\n`, () => resume(Effect.void)))
  }
}).pipe(Effect.scoped, Effect.runPromise)
