import { afterAll, beforeAll, describe } from "vitest"
import { startTestBroker, type TestBroker } from "../kits/TestBroker.ts"
import { trimAttacks } from "../kits/TrimAttacks.ts"

describe("three servers, three replicas", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ servers: 3 })
  })
  afterAll(() => broker.stop())
  trimAttacks("trim and block over tcp", "tcp", () => broker)
  trimAttacks("trim and block over websocket", "websocket", () => broker)
})
