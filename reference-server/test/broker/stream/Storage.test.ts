import { afterAll, beforeAll, describe } from "vitest"
import { storageAttacks } from "../../kits/StorageAttacks.ts"
import { startTestBroker, type TestBroker } from "../../kits/TestBroker.ts"

describe("one server, four streams", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ partitions: 4 })
  })
  afterAll(() => broker.stop())
  storageAttacks("attacks on storage over tcp", "tcp", () => broker)
  storageAttacks("attacks on storage over websocket", "websocket", () => broker)
})
