/** Who a handle belongs to, checked in the reader's own program. Nothing of Node is used: it runs in a page as well. */
import { SafetyNumber, VerifiedChain, VerifiedRecord } from "@kez-chat/sdk/crypto"
import { HttpDirectory, HttpSigchainStore } from "@kez-chat/sdk/http"
import { Handle, KeyAdmission } from "@kez-chat/sdk/protocol"
import { Directory, SigchainStore } from "@kez-chat/sdk/services"
import { cryptoLayer } from "@kez-chat/sdk/web"
import { Effect, Layer } from "effect"

/** Looks a handle up at its home, verifies record and sigchain, and says what they prove. */
export const whoIs = (home: string, text: string, ownKey?: KeyAdmission.AdmittedKey) =>
  Effect.gen(function* () {
    const directory = yield* Directory
    const { server } = yield* directory.wellKnown
    const handle = yield* Effect.fromResult(Handle.parseMention(text, server))
    const { key, record } = yield* VerifiedRecord.verify(yield* directory.lookup(handle.local), {
      server: handle.server,
      handle: handle.local
    })
    const envelopes = yield* (yield* SigchainStore).fetch(record.primary)
    const { head, state } = yield* VerifiedChain.verify(record.primary, envelopes)
    const number = ownKey === undefined ? undefined : (yield* SafetyNumber.of(ownKey, key)).digits
    return { handle: handle.text, primary: record.primary, head, state, number }
  }).pipe(Effect.provide(layer(home)))

const layer = (home: string) =>
  HttpSigchainStore.layer({
    url: Effect.map(
      Effect.provide(
        Directory.use((directory) => directory.wellKnown),
        HttpDirectory.layer({ home })
      ),
      (known) => known.sig_server
    )
  }).pipe(Layer.provideMerge(HttpDirectory.layer({ home })), Layer.provideMerge(cryptoLayer))
