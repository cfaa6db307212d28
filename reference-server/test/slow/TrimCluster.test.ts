import { afterAll, beforeAll, describe } from "vitest"
import { startTestBroker, type TestBroker } from "../broker/TestBroker.ts"
import { trimAttacks } from "../broker/TrimAttacks.ts"

describe("three servers, three replicas", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ servers: 3 })
  })
  afterAll(() => broker.stop())
  trimAttacks("trim and block over tcp", "tcp", () => broker)
  trimAttacks("trim and block over websocket", "websocket", () => broker)
})
