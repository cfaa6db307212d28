/** Published sigchains: kez-sig-server's HTTP interface. Not trusted; the client replays every event. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Envelope } from "../protocol/sigchain/Envelope.ts"
import type { Problem } from "../protocol/Problem.ts"
import type { Head } from "../protocol/sigchain/Sigchain.ts"
import type { ServerUnreachable } from "./Directory.ts"

export class SigchainStore extends Context.Service<
  SigchainStore,
  {
    /** A chain's envelopes from sequence number `since` (0: all), parsed and not verified. Empty if unknown. */
    fetch(primary: string, since?: number): Effect.Effect<ReadonlyArray<Envelope>, Problem | ServerUnreachable>
    /** Appends one event. Idempotent; a wrong `seq` or `prev` is `chain_conflict`. */
    append(primary: string, event: Envelope): Effect.Effect<Head, Problem | ServerUnreachable>
  }
>()("@kez-chat/sdk/SigchainStore") {}
