/** `GET /v1/u/<handle>` and `GET /v1/by-primary/<primary>` (spec: registration). */
import { group } from "../Check.ts"
import { equals, fits, hasHeader, hasStatus, refuses } from "../Expect.ts"
import type { HomeVisit } from "./HomeVisit.ts"
import { reservedHandle } from "./Registration.ts"

const malformedKeys: ReadonlyArray<readonly [id: string, primary: (hex: string) => string, why: string]> = [
  ["key-bare", (hex) => hex, "a primary names its system"],
  ["key-short", (hex) => `ed25519:${hex.slice(2)}`, "31 bytes"],
  ["key-capital", (hex) => `ed25519:${hex.toUpperCase()}`, "capitals would make two spellings of one key"],
  ["key-nostr", () => `nostr:npub1${"q".repeat(58)}`, "a chat account has an ed25519 key"],
  ["key-text", () => "kezct", "anything else"]
]

export const lookup = group<HomeVisit>("server/lookup", [
  {
    id: "forms",
    requirements: ["KEZ-REG-020", "KEZ-REG-045"],
    why: "the local part, the full form and its percent-encoding lead to the same record",
    run: async (home) => {
      const { handle } = await home.account()
      const local = await home.record({ handle })
      hasStatus(local, 200)
      for (const form of [`${handle}@${home.server}`, `${handle}%40${home.server}`]) {
        const full = await home.target.get(`/v1/u/${form}`)
        hasStatus(full, 200)
        equals(full, fits(full, "record"), fits(local, "record"), "the record")
      }
    }
  },
  {
    id: "key",
    requirements: ["KEZ-REG-019", "KEZ-REG-020"],
    why: "the record of a handle carries the key that registered it, and its statement",
    run: async (home) => {
      const { handle, registration, signer } = await home.account()
      const answer = await home.record({ handle })
      hasStatus(answer, 200)
      const record = fits<{ primary: string; registration: unknown }>(answer, "record")
      equals(answer, record.primary, signer.primary, "primary")
      equals(answer, record.registration, registration, "registration")
    }
  },
  {
    id: "endpoints",
    requirements: ["KEZ-REG-019"],
    why: "every endpoint of a record leads to the inbox of its own key",
    run: async (home) => {
      const { handle, signer } = await home.account()
      const answer = await home.record({ handle })
      hasStatus(answer, 200)
      const { endpoints, sigchain_url } = fits<{ endpoints: Array<{ inbox: string }>; sigchain_url: string }>(
        answer,
        "record"
      )
      for (const { inbox } of endpoints) equals(answer, inbox, `kez.inbox.${signer.hex}`, "inbox")
      equals(answer, sigchain_url.split("/").at(-1), signer.hex, "the end of sigchain_url")
    }
  },
  {
    id: "by-primary",
    requirements: ["KEZ-REG-019", "KEZ-REG-021", "KEZ-REG-045"],
    why: "by key, percent-encoded or not, one finds the same record as by handle",
    run: async (home) => {
      const { handle, signer } = await home.account()
      const shown = await home.record({ handle })
      for (const primary of [signer.primary, encodeURIComponent(signer.primary)]) {
        const answer = await home.target.get(`/v1/by-primary/${primary}`)
        hasStatus(answer, 200)
        equals(answer, fits(answer, "record"), fits(shown, "record"), "the record")
      }
    }
  },
  {
    id: "encoded-key",
    requirements: ["KEZ-REG-045"],
    why: "a client may percent-encode the colon of a primary",
    run: async (home) => {
      const { signer } = await home.account()
      const plain = await home.target.get(`/v1/by-primary/${signer.primary}`)
      const encoded = await home.target.get(`/v1/by-primary/${signer.primary.replace(":", "%3A")}`)
      hasStatus(encoded, 200)
      equals(encoded, fits(encoded, "record"), fits(plain, "record"), "the record")
    }
  },
  {
    id: "media-type",
    requirements: ["KEZ-REG-044"],
    why: "JSON is answered as JSON",
    run: async (home) => {
      const { handle } = await home.account()
      hasHeader(await home.record({ handle }), "content-type", /^application\/json\s*(?:;|$)/i)
    }
  },
  {
    id: "unknown",
    requirements: ["KEZ-REG-020"],
    why: "a handle that nobody has",
    reads: true,
    run: async (home) => refuses(await home.record({ handle: home.newHandle() }), "handle_not_found")
  },
  {
    id: "other-server",
    requirements: ["KEZ-REG-020"],
    why: "this server does not speak for others",
    reads: true,
    run: async (home) => refuses(await home.target.get(`/v1/u/${home.newHandle()}@kezct.example`), "not_local")
  },
  {
    id: "malformed",
    requirements: ["KEZ-REG-001"],
    why: "what is no handle is refused as such",
    reads: true,
    run: async (home) => refuses(await home.target.get("/v1/u/KEZCT"), "handle_malformed")
  },
  {
    id: "reserved",
    requirements: ["KEZ-REG-042"],
    why: "a client can tell a reserved handle from a free one before it asks for it",
    reads: true,
    run: async (home) => refuses(await home.record({ handle: await reservedHandle(home) }), "handle_reserved")
  },
  {
    id: "deleted",
    requirements: ["KEZ-REG-020", "KEZ-REG-026"],
    why: "who looks up a deleted handle learns that it is gone",
    run: async (home) => refuses(await home.record(await home.deletedAccount()), "handle_deleted")
  },
  {
    id: "deleted-key",
    requirements: ["KEZ-REG-021", "KEZ-REG-026"],
    why: "who looks up a deleted account by its key learns that it is gone",
    run: async (home) => {
      const { signer } = await home.deletedAccount()
      refuses(await home.target.get(`/v1/by-primary/${signer.primary}`), "handle_deleted")
    }
  },
  {
    id: "unknown-key",
    requirements: ["KEZ-REG-021"],
    why: "a key without a handle",
    reads: true,
    run: async (home) =>
      refuses(await home.target.get(`/v1/by-primary/${home.signing.makeSigner().primary}`), "handle_not_found")
  },
  ...malformedKeys.map(([id, primary, why]) => ({
    id,
    requirements: ["KEZ-REG-021"],
    why,
    reads: true as const,
    run: async (home: HomeVisit) =>
      refuses(await home.target.get(`/v1/by-primary/${primary(home.signing.makeSigner().hex)}`), "key_malformed")
  }))
])
