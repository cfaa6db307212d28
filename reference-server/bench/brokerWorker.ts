/** Chat-server's broker side in a thread of its own, so that the bench's clients do not share its event loop. */
import { parentPort, workerData } from "node:worker_threads"
import { startTestBroker, type TestBrokerOptions } from "../test/kits/TestBroker.ts"

const broker = await startTestBroker(workerData as TestBrokerOptions)
parentPort!.on("message", async (message: { register?: ReadonlyArray<string>; stop?: true }) => {
  for (const hex of message.register ?? []) broker.register(hex)
  if (message.stop === true) await broker.stop()
  parentPort!.postMessage(message.stop === true ? "stopped" : await broker.status(), [])
  if (message.stop === true) process.exit()
})
parentPort!.postMessage({ tcp: broker.tcp, websocket: broker.websocket, folder: broker.folder }, [])
