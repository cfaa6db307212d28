/** `POST /v1/delete` and `DELETE /v1/u/<handle>` (spec: registration). */
import { group } from "../Check.ts"
import { hasStatus, refuses } from "../Expect.ts"
import { forged } from "../Signing.ts"
import type { Account, HomeVisit } from "./HomeVisit.ts"

/** The account is still there. */
const remains = async (home: HomeVisit, account: Account): Promise<void> => hasStatus(await home.record(account), 200)

/** A deletion of the shared account with something wrong: it is refused, and the account stays. */
const refused = async (home: HomeVisit, other: object, ...codes: ReadonlyArray<string>): Promise<void> => {
  const account = await home.account()
  refuses(await home.target.post("/v1/delete", home.deletion(account.signer, account.handle, other)), ...codes)
  await remains(home, account)
}

export const deletion = group<HomeVisit>("server/deletion", [
  {
    id: "statement",
    requirements: ["KEZ-REG-025", "KEZ-REG-026"],
    why: "the holder gives a handle back, and look-ups say so at once",
    run: async (home) => {
      const account = await home.newAccount()
      hasStatus(await home.delete(account), 204)
      refuses(await home.record(account), "handle_deleted")
      refuses(await home.target.get(`/v1/by-primary/${account.signer.primary}`), "handle_deleted")
    }
  },
  {
    id: "by-url",
    requirements: ["KEZ-REG-025", "KEZ-REG-026"],
    why: "the form with the handle in the URL does the same",
    run: async (home) => {
      const account = await home.newAccount()
      const body = home.deletion(account.signer, account.handle)
      hasStatus(await home.target.ask("DELETE", `/v1/u/${account.handle}`, { body }), 204)
      refuses(await home.record(account), "handle_deleted")
    }
  },
  {
    id: "other-handle",
    requirements: ["KEZ-REG-025"],
    why: "a statement for one handle must not be sent to the URL of another",
    run: async (home) => {
      const account = await home.account()
      const body = home.deletion(account.signer, account.handle)
      refuses(await home.target.ask("DELETE", `/v1/u/${home.newHandle()}`, { body }), "request_malformed")
      await remains(home, account)
    }
  },
  {
    id: "other-signer",
    requirements: ["KEZ-REG-025"],
    why: "nobody but the holder can delete",
    run: async (home) => {
      const account = await home.account()
      const other = home.signing.makeSigner()
      refuses(await home.target.post("/v1/delete", home.deletion(other, account.handle)), "unauthorized")
      await remains(home, account)
    }
  },
  {
    id: "forged",
    requirements: ["KEZ-REG-025", "KEZ-SIG-011"],
    why: "a deletion whose signature does not verify is nobody's",
    run: async (home) => {
      const account = await home.account()
      const body = forged(home.deletion(account.signer, account.handle))
      refuses(await home.target.post("/v1/delete", body), "signature_invalid")
      await remains(home, account)
    }
  },
  {
    id: "registration",
    requirements: ["KEZ-SIG-003", "KEZ-SIG-006"],
    why: "a registration, which everybody can read in the record, must not delete",
    run: async (home) => {
      const account = await home.account()
      refuses(await home.target.post("/v1/delete", account.registration), "envelope_kind")
      await remains(home, account)
    }
  },
  {
    id: "wrong-server",
    requirements: ["KEZ-REG-025"],
    why: "a deletion at another server must not be usable here",
    run: (home) => refused(home, { server: "kezct.example" }, "wrong_server")
  },
  {
    id: "too-old",
    requirements: ["KEZ-REG-025"],
    why: "a deletion that was never sent must not work later",
    run: (home) => refused(home, { created_at: home.time(-330) }, "clock_skew")
  },
  {
    id: "too-new",
    requirements: ["KEZ-REG-025"],
    why: "a deletion signed for the future must not be kept in store",
    run: (home) => refused(home, { created_at: home.time(330) }, "clock_skew")
  },
  {
    id: "nobody",
    requirements: ["KEZ-REG-025"],
    why: "a handle that nobody has cannot be deleted",
    run: async (home) => {
      const body = home.deletion(home.signing.makeSigner(), home.newHandle())
      refuses(await home.target.post("/v1/delete", body), "handle_not_found", "unauthorized")
    }
  },
  {
    id: "repeat",
    requirements: ["KEZ-REG-028"],
    why: "a client whose answer was lost asks again, however much later",
    run: async (home) => {
      const { handle, signer } = await home.deletedAccount()
      hasStatus(await home.target.post("/v1/delete", home.deletion(signer, handle)), 204)
      const old = home.deletion(signer, handle, { created_at: home.time(-86_400) })
      hasStatus(await home.target.post("/v1/delete", old), 204)
    }
  },
  {
    id: "handle-again",
    requirements: ["KEZ-REG-016", "KEZ-REG-026"],
    why: "a later owner would receive what was meant for the earlier one",
    run: async (home) => {
      const { handle } = await home.deletedAccount()
      const other = home.signing.makeSigner()
      refuses(await home.register(other, handle, home.registration(other, handle)), "handle_deleted")
    }
  },
  {
    id: "key-again",
    requirements: ["KEZ-REG-016", "KEZ-REG-026"],
    why: "a deleted key does not come back under another name",
    run: async (home) => {
      const { signer } = await home.deletedAccount()
      const handle = home.newHandle()
      refuses(await home.register(signer, handle, home.registration(signer, handle)), "handle_deleted")
    }
  }
])
