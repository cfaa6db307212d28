/** The fetches that the world saw. */
import type { Client } from "../../Client.ts"
import { until } from "../../Expect.ts"
import type { Asked, Broker } from "../../world/Broker.ts"

export const fetches = ({ asked }: Broker, from = 0) => asked.slice(from).filter(({ kind }) => kind === "fetch")
export const afterOf = ({ ask }: Asked) => Number(ask["after"])

/** Syncs until the client has fetched again. */
export const fetched = (alice: Client, broker: Broker, from: number, millis?: number) =>
  until(
    async () => {
      await alice.sync(500)
      return fetches(broker, from)
    },
    (found) => found.length > 0,
    "the client did not fetch",
    millis
  )
