import { assert, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Hpke, Identity } from "../../src/crypto/index.ts"
import { Bytes, type KeyAdmission } from "../../src/protocol/index.ts"
import { Crypto } from "../../src/services/Crypto.ts"
import { ok, seed } from "../kits/Accounts.ts"
import { backends } from "../kits/Backends.ts"
import * as Published from "../kits/PublishedVectors.ts"

const info = Bytes.utf8("test")
const aad = Bytes.utf8("associated")
const content = Bytes.utf8("content")

for (const [name, cryptoLayer] of Object.entries(backends))
  layer(cryptoLayer)(`Hpke on ${name}`, (it) => {
    it.effect("opens what was sealed, with the same info and associated data only", () =>
      Effect.gen(function* () {
        const bob = yield* Identity.fromSeed(seed(2))
        const sealed = yield* Hpke.seal(bob.key, info, aad, content)
        const open = (with_: Partial<{ info: Uint8Array; aad: Uint8Array; enc: Uint8Array; ciphertext: Uint8Array }>) =>
          Effect.result(Hpke.open(bob, with_.info ?? info, with_.aad ?? aad, { ...sealed, ...with_ }))
        const opened = yield* open({})
        assert(opened._tag === "Success")
        assert.deepStrictEqual(opened.success, content)
        for (const change of [
          { info: Bytes.utf8("other") },
          { aad: Bytes.utf8("other") },
          { enc: new Uint8Array(32).fill(9) },
          { enc: new Uint8Array(32) },
          { ciphertext: sealed.ciphertext.with(0, (sealed.ciphertext[0] as number) ^ 1) },
          { ciphertext: new Uint8Array(3) }
        ]) {
          assert.strictEqual((yield* open(change))._tag, "Failure")
        }
      })
    )

    it.effect.skipIf(!Published.present)("is RFC 9180 appendix A.2.1", () =>
      Effect.gen(function* () {
        const { encryptions, setup } = Published.load<Rfc9180>("hpke-base-x25519-chacha20poly1305.json")
        const [first] = encryptions as [Rfc9180["encryptions"][0]]
        const hex = (text: string | undefined) => ok(Bytes.fromHex(text ?? ""))
        // The RFC's recipient is an X25519 key pair without an Ed25519 twin; sealing needs only the public half.
        const recipient = { x25519: hex(setup["pkRm"]) } as unknown as KeyAdmission.AdmittedKey
        const sealed = yield* Effect.gen(function* () {
          const crypto = yield* Crypto
          const ephemeral = yield* crypto.ephemeral(hex(setup["skEm"]))
          return yield* Hpke.seal(recipient, hex(setup["info"]), hex(first.aad), hex(first.pt), ephemeral)
        })
        assert.strictEqual(Bytes.toHex(sealed.enc), setup["enc"])
        assert.strictEqual(Bytes.toHex(sealed.ciphertext), first.ct)
      })
    )
  })

interface Rfc9180 {
  readonly setup: Readonly<Record<string, string>>
  readonly encryptions: ReadonlyArray<{ readonly aad: string; readonly pt: string; readonly ct: string }>
}

it.effect("gives the same bytes on every backend for one ephemeral key", () =>
  Effect.gen(function* () {
    const seal = Effect.gen(function* () {
      const crypto = yield* Crypto
      const bob = yield* Identity.fromSeed(seed(2))
      const ephemeral = yield* crypto.ephemeral(new Uint8Array(32).fill(0x42))
      return yield* Hpke.seal(bob.key, info, aad, content, ephemeral)
    })
    const sealed = yield* Effect.forEach(Object.values(backends), (cryptoLayer) => Effect.provide(seal, cryptoLayer))
    for (const each of sealed) assert.deepStrictEqual(each, sealed[0])
  })
)
