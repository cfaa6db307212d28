/** `POST /v1/transfer` (spec: registration, Handing over). */
import { group } from "../Check.ts"
import { hasStatus, holds, jsonOf, refuses } from "../Expect.ts"
import { type Envelope, forged, type Signer } from "../Signing.ts"
import type { Account, HomeVisit } from "../home/HomeVisit.ts"
import { manifest, pathOf, put, stored } from "../home/Manifests.ts"

interface Bodies {
  readonly transfer: Envelope
  readonly registration: Envelope
}

/** Members of the transfer that are other than they should be, and who signs in place of the new key. */
interface Wrong {
  readonly transfer?: object
  readonly registration?: object
  readonly accepts?: Signer
}

const rotate = `sha256:${"5e".repeat(32)}`

/** Both statements, by which `signer`, who has the handle, hands it over to `next`. */
const handingOver = (
  home: HomeVisit,
  { handle, signer }: Pick<Account, "handle" | "signer">,
  next: Signer,
  wrong: Wrong = {}
): Bodies => {
  const fields = {
    handle,
    server: home.server,
    rotate,
    created_at: home.time(),
    new: next.primary,
    ...wrong.transfer
  }
  const acceptance = { ...fields, type: "kez.handle_transfer_acceptance", version: 1, old: signer.primary }
  const new_sig = (wrong.accepts ?? next).sign("", acceptance).signature.sig
  const payload = { type: "kez.chat.handle_transfer", version: 1, primary: signer.primary, ...fields, new_sig }
  return {
    transfer: signer.sign("handle_transfer", payload),
    registration: home.registration(next, handle, wrong.registration)
  }
}

/** A transfer with something wrong: it is refused, and the old key keeps the handle. */
const refused = async (home: HomeVisit, wrong: Wrong, ...codes: ReadonlyArray<string>): Promise<void> => {
  const account = await home.account()
  const next = home.signing.makeSigner()
  refuses(await home.handOver(account, next, handingOver(home, account, next, wrong)), ...codes)
  await keeps(home, account)
}

const keeps = async (home: HomeVisit, { handle, signer }: Account): Promise<void> => {
  const answer = await home.record({ handle })
  hasStatus(answer, 200)
  const { primary } = jsonOf(answer) as { readonly primary?: unknown }
  holds(answer, primary === signer.primary, "another key holds the handle than before")
}

/** An account, a new one by default, whose handle went to another key, which `cleanUp` deletes. */
export const handedOver = async (home: HomeVisit, one?: Account) => {
  const old = one ?? (await home.newAccount())
  const account: Account = { ...old, signer: home.signing.makeSigner() }
  const bodies = handingOver(home, old, account.signer)
  const answer = await home.handOver(old, account.signer, bodies)
  hasStatus(answer, 200)
  return { old, account, bodies, answer }
}

export const transfers = group<HomeVisit>("server/transfers", [
  {
    id: "both-keys",
    requirements: ["KEZ-REG-120", "KEZ-REG-123"],
    why: "who has both keys puts the new one in the place of the old one",
    run: async (home) => {
      const { account, answer } = await handedOver(home)
      const { primary } = jsonOf(answer) as { readonly primary?: unknown }
      holds(answer, primary === account.signer.primary, "the record is not that of the new key")
      await keeps(home, account)
      hasStatus(await home.target.get(`/v1/by-primary/${account.signer.primary}`), 200)
    }
  },
  {
    id: "repeat",
    requirements: ["KEZ-REG-123"],
    why: "a client whose answer was lost asks again",
    run: async (home) => {
      const { bodies } = await handedOver(home)
      hasStatus(await home.target.post("/v1/transfer", bodies), 200)
    }
  },
  {
    id: "old-key",
    requirements: ["KEZ-REG-126"],
    why: "who looks the old key up learns that it ended, and not that nobody had it",
    run: async (home) => {
      const { old } = await handedOver(home)
      refuses(await home.target.get(`/v1/by-primary/${old.signer.primary}`), "primary_moved")
    }
  },
  {
    id: "old-key-deletes",
    requirements: ["KEZ-REG-126"],
    why: "a thief with the old words must not end the account",
    run: async (home) => {
      const { account, old } = await handedOver(home)
      refuses(await home.target.post("/v1/delete", home.deletion(old.signer, old.handle)), "unauthorized")
      await keeps(home, account)
    }
  },
  {
    id: "old-key-registers",
    requirements: ["KEZ-REG-125"],
    why: "a key that handed over stands for nobody here again",
    run: async (home) => {
      const { old } = await handedOver(home)
      const handle = home.newHandle()
      refuses(await home.register(old.signer, handle, home.registration(old.signer, handle)), "primary_moved")
    }
  },
  {
    id: "back",
    requirements: ["KEZ-REG-125"],
    why: "a handle does not go back to a key that others may have",
    run: async (home) => {
      const { account, old } = await handedOver(home)
      refuses(await home.handOver(account, old.signer, handingOver(home, account, old.signer)), "primary_moved")
      await keeps(home, account)
    }
  },
  {
    id: "manifests",
    requirements: ["KEZ-REG-128", "KEZ-MAN-013"],
    why: "the list of what the old key shared ends with it, and it stores no other",
    run: async (home) => {
      const old = await home.newAccount()
      await stored(home, old.signer, 1)
      await handedOver(home, old)
      refuses(await home.target.get(pathOf(old.signer)), "manifest_not_found", "handle_not_found", "primary_moved")
      const body = manifest(home, old.signer, 2)
      refuses(await put(home, old.signer, body), "handle_not_found", "primary_moved")
    }
  },
  {
    id: "size",
    requirements: ["KEZ-LIM-120"],
    why: "a transfer of 16,385 bytes",
    run: async ({ target }) => refuses(await target.post("/v1/transfer", `{${" ".repeat(16_383)}}`), "too_large")
  },
  {
    id: "taken-key",
    requirements: ["KEZ-REG-122"],
    why: "a key holds one handle",
    run: async (home) => {
      const [account, other] = [await home.account(), await home.newAccount()]
      const bodies = handingOver(home, account, other.signer)
      refuses(await home.handOver(account, other.signer, bodies), "primary_taken")
      await keeps(home, account)
    }
  },
  {
    id: "other-signer",
    requirements: ["KEZ-REG-122"],
    why: "nobody but the holder can hand a handle over",
    run: async (home) => {
      const account = await home.account()
      const [thief, next] = [home.signing.makeSigner(), home.signing.makeSigner()]
      const bodies = handingOver(home, { handle: account.handle, signer: thief }, next)
      refuses(await home.handOver(account, next, bodies), "unauthorized")
      await keeps(home, account)
    }
  },
  {
    id: "forged",
    requirements: ["KEZ-REG-121"],
    why: "a transfer whose signature does not verify is nobody's",
    run: async (home) => {
      const account = await home.account()
      const next = home.signing.makeSigner()
      const bodies = handingOver(home, account, next)
      const transfer = forged(bodies.transfer)
      refuses(await home.handOver(account, next, { ...bodies, transfer }), "signature_invalid")
      await keeps(home, account)
    }
  },
  {
    id: "not-accepted",
    requirements: ["KEZ-REG-121"],
    why: "nobody is given a handle, and its mail, without their word",
    run: (home) => refused(home, { accepts: home.signing.makeSigner() }, "signature_invalid")
  },
  {
    id: "registration-forged",
    requirements: ["KEZ-REG-121"],
    why: "the record would show a registration that does not verify",
    run: async (home) => {
      const account = await home.account()
      const next = home.signing.makeSigner()
      const bodies = handingOver(home, account, next)
      const registration = forged(bodies.registration)
      refuses(await home.handOver(account, next, { ...bodies, registration }), "signature_invalid")
      await keeps(home, account)
    }
  },
  {
    id: "registration-of-another",
    requirements: ["KEZ-REG-120"],
    why: "the record would be of a key that accepted nothing",
    run: async (home) => {
      const account = await home.account()
      const [next, other] = [home.signing.makeSigner(), home.signing.makeSigner()]
      const { transfer } = handingOver(home, account, next)
      const registration = home.registration(other, account.handle)
      refuses(await home.handOver(account, next, { transfer, registration }), "envelope_malformed")
      await keeps(home, account)
    }
  },
  {
    id: "alone",
    requirements: ["KEZ-REG-120"],
    why: "a transfer without the registration of the new key leaves the record without one",
    run: async (home) => {
      const account = await home.account()
      const next = home.signing.makeSigner()
      const { transfer } = handingOver(home, account, next)
      refuses(await home.handOver(account, next, { transfer }), "envelope_malformed")
      await keeps(home, account)
    }
  },
  {
    id: "wrong-server",
    requirements: ["KEZ-REG-122"],
    why: "a transfer at another server must not be usable here",
    run: (home) =>
      refused(
        home,
        { transfer: { server: "kezct.example" }, registration: { server: "kezct.example" } },
        "wrong_server"
      )
  },
  {
    id: "too-old",
    requirements: ["KEZ-REG-122"],
    why: "a transfer that was never sent must not work later",
    run: (home) => refused(home, { transfer: { created_at: home.time(-330) } }, "clock_skew")
  },
  {
    id: "too-new",
    requirements: ["KEZ-REG-122"],
    why: "a transfer signed for the future must not be kept in store",
    run: (home) => refused(home, { transfer: { created_at: home.time(330) } }, "clock_skew")
  },
  {
    id: "deleted",
    requirements: ["KEZ-REG-122"],
    why: "an account that ended goes to nobody",
    run: async (home) => {
      const account = await home.deletedAccount()
      const bodies = handingOver(home, account, home.signing.makeSigner())
      refuses(await home.target.post("/v1/transfer", bodies), "handle_deleted")
    }
  },
  {
    id: "nobody",
    requirements: ["KEZ-REG-122"],
    why: "a handle that nobody has cannot be handed over",
    run: async (home) => {
      const nobody = { handle: home.newHandle(), signer: home.signing.makeSigner() }
      const bodies = handingOver(home, nobody, home.signing.makeSigner())
      refuses(await home.target.post("/v1/transfer", bodies), "handle_not_found")
    }
  }
])
