/** `/v1/manifests/ed25519/<hex>` (spec: manifest). */
import { randomBytes } from "node:crypto"
import { group } from "../Check.ts"
import { equals, fits, hasHeader, hasStatus, oneWins, refuses } from "../Expect.ts"
import { forged, type Signer } from "../Signing.ts"
import type { Answer } from "../Target.ts"
import type { HomeVisit } from "./HomeVisit.ts"

export const pathOf = ({ hex }: Signer): string => `/v1/manifests/ed25519/${hex}`

const base64url = (length: number): string => randomBytes(length).toString("base64url")

/** An entry that nobody can open, of the right form. */
const entry = () => ({
  id: base64url(16),
  keys: [{ hint: base64url(2), enc: base64url(32), ct: base64url(48) }],
  sealed: base64url(84)
})

const envelope = (home: HomeVisit, signer: Signer, revision: number, other: object = {}) =>
  signer.sign("shared_files", {
    type: "kez.chat.shared_files",
    version: 1,
    primary: signer.primary,
    revision,
    created_at: home.time(),
    entries: [entry()],
    ...other
  })

/** A manifest's bytes. */
export const manifest = (home: HomeVisit, signer: Signer, revision: number, other?: object): string =>
  home.signing.canonical(envelope(home, signer, revision, other))

export const put = (home: HomeVisit, signer: Signer, body: string): Promise<Answer> =>
  home.target.ask("PUT", pathOf(signer), { body })

/** Stores manifests of these revisions. */
export const stored = async (home: HomeVisit, signer: Signer, ...revisions: ReadonlyArray<number>) => {
  const bodies = revisions.map((revision) => manifest(home, signer, revision))
  for (const body of bodies) hasStatus(await put(home, signer, body), 201)
  return bodies
}

const hashOf = (home: HomeVisit, body: string): string => home.signing.blake3(Buffer.from(body))

const serves = async (home: HomeVisit, signer: Signer, body: string): Promise<void> => {
  const answer = await home.target.get(`${pathOf(signer)}/${hashOf(home, body)}`)
  hasStatus(answer, 200)
  equals(answer, answer.text, body, "the manifest")
}

/** A manifest of the shared account, which must be refused. */
const refused =
  (body: (home: HomeVisit, signer: Signer) => string, ...codes: ReadonlyArray<string>) =>
  async (home: HomeVisit): Promise<void> => {
    const { signer } = await home.account()
    refuses(await put(home, signer, body(home, signer)), ...codes)
  }

const revision = 1_000_000

export const manifests = group<HomeVisit>("server/manifests", [
  {
    id: "put",
    requirements: ["KEZ-MAN-018"],
    why: "what was stored is served byte for byte, as the newest and by its hash",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const body = manifest(home, signer, 1)
      const answer = await put(home, signer, body)
      hasStatus(answer, 201)
      equals(answer, fits(answer, "manifest-head"), { revision: 1, hash: `blake3:${hashOf(home, body)}` }, "the answer")
      const newest = await home.target.get(pathOf(signer))
      hasStatus(newest, 200)
      equals(newest, newest.text, body, "the manifest")
      await serves(home, signer, body)
    }
  },
  {
    id: "repeat",
    requirements: ["KEZ-MAN-016"],
    why: "a client whose answer was lost stores the newest manifest once more",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const [body = ""] = await stored(home, signer, 1)
      const answer = await put(home, signer, body)
      hasStatus(answer, 200)
      equals(answer, fits(answer, "manifest-head"), { revision: 1, hash: `blake3:${hashOf(home, body)}` }, "the answer")
    }
  },
  {
    id: "old-revision",
    requirements: ["KEZ-MAN-016"],
    why: "an older list must not take the place of the newest",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const [old = ""] = await stored(home, signer, 1, 3)
      refuses(await put(home, signer, old), "manifest_conflict")
      refuses(await put(home, signer, manifest(home, signer, 2)), "manifest_conflict")
    }
  },
  {
    id: "same-revision",
    requirements: ["KEZ-MAN-016"],
    why: "of two lists with one revision readers could not tell which counts",
    run: async (home) => {
      const { signer } = await home.newAccount()
      await stored(home, signer, 1)
      refuses(await put(home, signer, manifest(home, signer, 1)), "manifest_conflict")
    }
  },
  {
    id: "race",
    requirements: ["KEZ-MAN-016"],
    why: "of two devices that publish at one time one wins, and the other learns it",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const bodies = Array.from({ length: 4 }, () => manifest(home, signer, 1))
      oneWins(await Promise.all(bodies.map((body) => put(home, signer, body))), "manifest_conflict")
    }
  },
  {
    id: "four",
    requirements: ["KEZ-MAN-018"],
    why: "readers on the way find the manifest that they were led to",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const bodies = await stored(home, signer, 1, 2, 3, 4, 5)
      for (const body of bodies.slice(1)) await serves(home, signer, body)
    }
  },
  {
    id: "anchored",
    requirements: ["KEZ-MAN-028"],
    why: "the manifest that the chain names stays, however many follow it",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const [anchor = ""] = await stored(home, signer, 1)
      for (const next of [2, 3, 4, 5, 6, 7]) {
        const body = manifest(home, signer, next, { anchored: `blake3:${hashOf(home, anchor)}` })
        hasStatus(await put(home, signer, body), 201)
      }
      await serves(home, signer, anchor)
    }
  },
  {
    id: "etag",
    requirements: ["KEZ-MAN-020"],
    why: "who has the newest manifest does not fetch it again",
    run: async (home) => {
      const { signer } = await home.newAccount()
      const [body = ""] = await stored(home, signer, 1)
      const first = await home.target.get(pathOf(signer))
      hasHeader(first, "etag", new RegExp(hashOf(home, body)))
      const again = await home.target.get(pathOf(signer), { "if-none-match": first.headers.get("etag")! })
      hasStatus(again, 304)
      await stored(home, signer, 2)
      hasStatus(await home.target.get(pathOf(signer), { "if-none-match": first.headers.get("etag")! }), 200)
    }
  },
  {
    id: "unknown",
    requirements: ["KEZ-ERR-001"],
    why: "an account that has published nothing",
    reads: true,
    run: async (home) => {
      const signer = home.signing.makeSigner()
      refuses(await home.target.get(pathOf(signer)), "manifest_not_found")
      refuses(await home.target.get(`${pathOf(signer)}/${"0".repeat(64)}`), "manifest_not_found")
    }
  },
  {
    id: "unknown-owner",
    requirements: ["KEZ-MAN-013"],
    why: "nobody but the accounts of this server can store anything here",
    run: async (home) => {
      const signer = home.signing.makeSigner()
      refuses(await put(home, signer, manifest(home, signer, 1)), "handle_not_found")
    }
  },
  {
    id: "deleted-owner",
    requirements: ["KEZ-MAN-013"],
    why: "nor can one that was deleted",
    run: async (home) => {
      const { signer } = await home.deletedAccount()
      refuses(await put(home, signer, manifest(home, signer, 1)), "handle_deleted")
    }
  },
  {
    id: "deleted-account",
    requirements: ["KEZ-MAN-019"],
    why: "with the account go its manifests",
    run: async (home) => {
      const account = await home.newAccount()
      const [body = ""] = await stored(home, account.signer, 1)
      hasStatus(await home.delete(account), 204)
      for (const path of [pathOf(account.signer), `${pathOf(account.signer)}/${hashOf(home, body)}`])
        refuses(await home.target.get(path), "manifest_not_found", "handle_deleted")
    }
  },
  {
    id: "other-signer",
    requirements: ["KEZ-MAN-015"],
    why: "a manifest of one account must not be stored for another",
    run: refused((home) => manifest(home, home.signing.makeSigner(), revision), "unauthorized")
  },
  {
    id: "forged",
    requirements: ["KEZ-MAN-014", "KEZ-SIG-011"],
    why: "nobody can publish for a key that is not theirs",
    run: refused(
      (home, signer) => home.signing.canonical(forged(envelope(home, signer, revision))),
      "signature_invalid"
    )
  },
  {
    id: "not-canonical",
    requirements: ["KEZ-MAN-003", "KEZ-MAN-014"],
    why: "a manifest is found by the hash of its bytes, of which there is one form",
    run: refused((home, signer) => ` ${manifest(home, signer, revision)}`, "manifest_malformed")
  },
  {
    id: "too-large",
    requirements: ["KEZ-MAN-003", "KEZ-MAN-014"],
    why: "1,048,577 bytes",
    run: refused(() => " ".repeat(1_048_577), "too_large")
  },
  {
    id: "same-id",
    requirements: ["KEZ-MAN-001", "KEZ-MAN-014"],
    why: "two entries of one id",
    run: refused((home, signer) => {
      const twice = entry()
      return manifest(home, signer, revision, { entries: [twice, twice] })
    }, "manifest_malformed")
  },
  {
    id: "no-keys",
    requirements: ["KEZ-MAN-001", "KEZ-MAN-014"],
    why: "an entry that nobody could open",
    run: refused(
      (home, signer) => manifest(home, signer, revision, { entries: [{ ...entry(), keys: [] }] }),
      "manifest_malformed"
    )
  },
  {
    id: "negative",
    requirements: ["KEZ-MAN-001", "KEZ-MAN-014"],
    why: "a revision below 0",
    run: refused((home, signer) => manifest(home, signer, -1), "manifest_malformed")
  }
])
