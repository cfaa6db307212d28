import { Effect } from "effect"
import { generateKeyPairSync } from "node:crypto"
import { expect, it } from "vitest"
import * as RoleConnection from "../../../src/broker/connections/RoleConnection.ts"
import { cutsAfterLogin } from "../../kits/CutConnections.ts"
import { until } from "../../kits/TestBroker.ts"

it("dials again when the connection is lost while it is being set up", async () => {
  const { dials, url, [Symbol.asyncDispose]: stop } = await cutsAfterLogin()
  const key = { publicNkey: "UTEST", key: generateKeyPairSync("ed25519").privateKey } as never
  const connection = RoleConnection.make({ urls: [url], role: "test", key, inboxPrefix: undefined, caFile: undefined })
  const setUp: RoleConnection.SetUp = (opened) => Effect.sync(() => opened.subscribe("kez.test"))
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        yield* connection.keepOpen(setUp)
        yield* Effect.promise(() => until("dialled again", () => dials() > 2))
        expect(connection.current()).toBeUndefined()
      })
    )
  )
  await stop()
})
