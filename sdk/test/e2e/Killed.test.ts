import { it } from "vitest"
import { stream } from "./Killing.ts"

it("loses and repeats nothing of 500 messages while broker, servers and both clients are killed", async () => {
  await stream(500, ["nats", "receiver", "chat", "sender", "sig"])
}, 300_000)
