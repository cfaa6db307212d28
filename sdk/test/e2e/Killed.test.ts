import { it } from "vitest"
import { stream } from "./Killing.ts"

it("loses and repeats nothing of 2,000 messages while broker, servers and both clients are killed", async () => {
  await stream(2_000, ["nats", "receiver", "chat", "sender", "sig"])
}, 300_000)
