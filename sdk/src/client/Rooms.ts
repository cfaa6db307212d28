/** The rooms of the client, joined. */
import * as Layer from "effect/Layer"
import type { BlobStore } from "../services/BlobStore.ts"
import type { Crypto } from "../services/Crypto.ts"
import type { Directory } from "../services/Directory.ts"
import type { Vault } from "../services/Vault.ts"
import { layer as accountLayer, sigchainLayer } from "./account/index.ts"
import { layer as claimsLayer } from "./claims/index.ts"
import { layer as contactsLayer } from "./contacts/index.ts"
import { layer as fetchLayer } from "./files/fetch/index.ts"
import { layer as shareLayer } from "./files/share/index.ts"
import { layer as clockLayer } from "./internal/BrokerClock.ts"
import { layer as linkLayer } from "./internal/BrokerLink.ts"
import { layer as currentAccountLayer } from "./internal/CurrentAccount.ts"
import { layer as eventsLayer } from "./internal/Events.ts"
import { layer as ledgerLayer } from "./internal/Ledger.ts"
import { layer as messagingLayer, outboxLayer } from "./messaging/index.ts"
import { layer as proofsLayer } from "./proofs/index.ts"

/** Each layer rests on those below it. */
export const rooms = accountLayer.pipe(
  Layer.provideMerge(messagingLayer),
  Layer.provideMerge(fetchLayer),
  Layer.provideMerge(shareLayer),
  Layer.provideMerge(proofsLayer),
  Layer.provideMerge(sigchainLayer),
  Layer.provideMerge(contactsLayer),
  Layer.provideMerge(claimsLayer),
  Layer.provideMerge(outboxLayer),
  Layer.provideMerge(Layer.mergeAll(currentAccountLayer, linkLayer, clockLayer)),
  Layer.provideMerge(eventsLayer),
  Layer.provideMerge(ledgerLayer)
)

/** What the calls of a client may use. */
export type Services = Layer.Success<typeof rooms> | Crypto | Vault | Directory | BlobStore
