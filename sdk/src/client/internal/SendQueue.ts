/**
 * What every room needs of sending: queue a message within a transaction, give up queued messages, resume after a
 * stop. `messaging/Outbox` implements it; the interface is here because contacts and files, which are below
 * messaging, send too.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Body from "../../protocol/messages/Body.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Problem } from "../../protocol/Problem.ts"
import type { Crypto, StoreError } from "../../services/index.ts"
import type { Message } from "../model/index.ts"
import type { Transaction } from "./Ledger.ts"
import type { Session } from "./Session.ts"

/** A body without the head of the sender's own sigchain, which the queue adds. */
export type Draft = {
  [Type in Body.Known["type"]]: Omit<Extract<Body.Known, { type: Type }>, "chain">
}[Body.Known["type"]]

export class SendQueue extends Context.Service<
  SendQueue,
  {
    /**
     * Stages a message to `peer` that is sent once the transaction is durable. Undefined for types that the history
     * does not show: receipts, addresses, notes between devices.
     */
    enqueue(
      transaction: Transaction,
      session: Session,
      peer: AdmittedKey,
      draft: Draft
    ): Effect.Effect<Message | undefined, Problem | StoreError, Crypto>
    /** Gives up everything queued for a peer: its messages become `failed` with this reason. */
    abandon(transaction: Transaction, peerHex: string, reason: string): Effect.Effect<void, StoreError>
    /**
     * Makes what is queued for a peer anew for the key `to`, signed by the session's own key: texts as new messages in place
     * of the old ones. Files that were offered fail, since an offer names keys; receipts and addresses are dropped. A text
     * that had been sent and has no answer yet can arrive twice.
     */
    readdress(
      transaction: Transaction,
      session: Session,
      peerHex: string,
      to: AdmittedKey
    ): Effect.Effect<void, Problem | StoreError, Crypto>
    /** Calls the listener with every peer whose key was handed over, as the home says. */
    onMoved(listener: (peerHex: string) => void): void
    /** Looks at a peer's queue again, because sending to it may have become possible. */
    wake(peerHex: string): void
    /** Calls the listener with every peer that was woken: receipts that waited may be due then. */
    onWake(listener: (peerHex: string) => void): void
  }
>()("@kez-chat/sdk/SendQueue") {}
