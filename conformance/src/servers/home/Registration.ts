/** `POST /v1/register` (spec: registration). */
import { group } from "../Check.ts"
import { equals, fits, hasStatus, oneWins, refuses } from "../Expect.ts"
import { NotChecked } from "../Outcome.ts"
import { type Envelope, forged, type Signer } from "../Signing.ts"
import type { HomeVisit } from "./HomeVisit.ts"

interface Record {
  readonly handle: string
  readonly primary: string
  readonly registration: Envelope
}

/** Names that a server would keep back, if any. */
const keptBack = ["admin", "root", "support", "security", "postmaster", "www", "system"]

/** How many requests race. */
const racers = 8

const weakKey = `01${"00".repeat(31)}`

/** A registration of a new handle by a new key, with members replaced, or with a handle that is none. */
const send = async (home: HomeVisit, other: object, change?: (envelope: Envelope, signer: Signer) => object) => {
  const signer = home.signing.makeSigner()
  const handle = home.newHandle()
  const envelope = home.registration(signer, handle, other)
  return home.register(signer, handle, change === undefined ? envelope : change(envelope, signer))
}

const malformedHandles: ReadonlyArray<readonly [id: string, handle: string, why: string]> = [
  ["handle-capital", "Kezct-capital", "a capital would make two spellings of one handle"],
  ["handle-short", "ab", "two characters"],
  ["handle-long", "k".repeat(33), "33 characters"],
  ["handle-hyphen", "-kezct", "a handle begins with a letter or digit"],
  ["handle-dot", "kez.ct", "a dot belongs to the server part"],
  ["handle-unicode", "kezct\u0430bc", "a Cyrillic letter looks like a Latin one"],
  ["handle-full", "kezct@localhost", "the member is the local part"]
]

export const registration = group<HomeVisit>("server/registration", [
  {
    id: "envelope",
    requirements: ["KEZ-REG-008", "KEZ-REG-019", "KEZ-REG-002"],
    why: "a signed registration of a free handle is accepted, and the record carries it",
    run: async (home) => {
      const signer = home.signing.makeSigner()
      const handle = home.newHandle()
      const envelope = home.registration(signer, handle)
      const answer = await home.register(signer, handle, envelope)
      hasStatus(answer, 201)
      const record = fits<Record>(answer, "record")
      equals(answer, record.handle, `${handle}@${home.server}`, "handle")
      equals(answer, record.primary, signer.primary, "primary")
      equals(answer, record.registration, envelope, "registration")
      const shown = await home.record({ handle })
      hasStatus(shown, 200)
      equals(shown, fits<Record>(shown, "record"), record, "the record")
    }
  },
  {
    id: "flat",
    requirements: ["KEZ-REG-008", "KEZ-REG-019"],
    why: "the flat form is the same statement, and is shown as its envelope",
    run: async (home) => {
      const signer = home.signing.makeSigner()
      const handle = home.newHandle()
      const envelope = home.registration(signer, handle)
      const answer = await home.register(signer, handle, flat(envelope))
      hasStatus(answer, 201)
      equals(answer, fits<Record>(answer, "record").registration, envelope, "registration")
    }
  },
  {
    id: "flat-more",
    requirements: ["KEZ-REG-008"],
    why: "a member that the flat form does not have is under no signature",
    run: async (home) =>
      refuses(await send(home, {}, (envelope) => ({ ...flat(envelope), server: home.server })), "envelope_malformed")
  },
  {
    id: "flat-forged",
    requirements: ["KEZ-REG-009"],
    why: "the signature of the flat form is checked too",
    run: async (home) => refuses(await send(home, {}, (envelope) => flat(forged(envelope))), "signature_invalid")
  },
  {
    id: "invited",
    requirements: ["KEZ-REG-046"],
    why: "an invite stands beside the statement, whether it is needed or not",
    run: async (home) => {
      mustAdmit(home, "open")
      hasStatus(await send(home, {}, (registration) => ({ invite: "kezct", registration })), 201)
      hasStatus(await send(home, {}, (envelope) => ({ invite: "kezct", registration: flat(envelope) })), 201)
    }
  },
  {
    id: "invited-more",
    requirements: ["KEZ-REG-046"],
    why: "only an invite stands beside the statement",
    run: async (home) =>
      refuses(
        await send(home, {}, (registration) => ({ invite: "kezct", registration, note: "more" })),
        "envelope_malformed"
      )
  },
  {
    id: "invite-required",
    requirements: ["KEZ-REG-047"],
    why: "a home that says that it asks for invites does",
    registersNobody: true,
    run: async (home) => {
      mustAdmit(home, "invite")
      const signer = home.signing.makeSigner()
      const bare = home.registration(signer, home.newHandle())
      refuses(await home.target.post("/v1/register", bare), "invite_required")
      refuses(await send(home, {}, (registration) => ({ invite: "kezct", registration })), "invite_invalid")
    }
  },
  {
    id: "closed",
    requirements: ["KEZ-REG-048"],
    why: "a home that says that it is closed is, whatever comes beside the statement",
    registersNobody: true,
    run: async (home) => {
      mustAdmit(home, "closed")
      refuses(await send(home, {}), "registration_closed")
      refuses(await send(home, {}, (registration) => ({ invite: "kezct", registration })), "registration_closed")
    }
  },
  {
    id: "unknown-member",
    requirements: ["KEZ-SIG-002"],
    why: "a member of a later version is under the signature, and must come back with the record",
    run: async (home) => {
      const answer = await send(home, { note: "later" })
      hasStatus(answer, 201)
      equals(answer, fits<Record>(answer, "record").registration.payload["note"], "later", "the unknown member")
    }
  },
  {
    id: "repeat",
    requirements: ["KEZ-REG-012"],
    why: "a client whose answer was lost asks again and learns that the handle is its own",
    run: async (home) => {
      const { handle, registration, signer } = await home.account()
      const before = await home.record({ handle })
      const answer = await home.register(signer, handle, registration)
      hasStatus(answer, 200)
      equals(answer, fits(answer, "record"), fits(before, "record"), "the record")
    }
  },
  {
    id: "repeat-old",
    requirements: ["KEZ-REG-012"],
    why: "a repeat counts whatever its time, and does not replace what is stored",
    run: async (home) => {
      const { handle, registration, signer } = await home.account()
      const answer = await home.register(
        signer,
        handle,
        home.registration(signer, handle, { created_at: home.time(-86_400) })
      )
      hasStatus(answer, 200)
      equals(answer, fits<Record>(answer, "record").registration, registration, "the stored registration")
    }
  },
  {
    id: "wrong-server",
    requirements: ["KEZ-REG-010"],
    why: "a statement made for another server must not be usable here",
    run: async (home) => refuses(await send(home, { server: "kezct.example" }), "wrong_server")
  },
  {
    id: "too-old",
    requirements: ["KEZ-REG-011"],
    why: "a registration that somebody kept must not work later",
    run: async (home) => refuses(await send(home, { created_at: home.time(-330) }), "clock_skew")
  },
  {
    id: "too-new",
    requirements: ["KEZ-REG-011"],
    why: "a registration signed for the future must not be kept in store",
    run: async (home) => refuses(await send(home, { created_at: home.time(330) }), "clock_skew")
  },
  {
    id: "window",
    requirements: ["KEZ-REG-011"],
    why: "clocks differ: 270 seconds either way are within the window",
    run: async (home) => {
      hasStatus(await send(home, { created_at: home.time(-270) }), 201)
      hasStatus(await send(home, { created_at: home.time(270) }), 201)
    }
  },
  {
    id: "taken",
    requirements: ["KEZ-REG-013"],
    why: "a handle stays with the key that has it",
    run: async (home) => {
      const { handle, signer } = await home.account()
      const other = home.signing.makeSigner()
      refuses(await home.offer(home.registration(other, handle)), "handle_taken")
      const record = await home.record({ handle })
      equals(record, fits<Record>(record, "record").primary, signer.primary, "the holder")
    }
  },
  {
    id: "primary-taken",
    requirements: ["KEZ-REG-013"],
    why: "one key has one handle",
    run: async (home) => {
      const { signer } = await home.account()
      const handle = home.newHandle()
      refuses(await home.register(signer, handle, home.registration(signer, handle)), "primary_taken")
    }
  },
  {
    id: "race-handle",
    requirements: ["KEZ-REG-014"],
    why: "of people who want one handle at one time, one gets it",
    run: async (home) => {
      const handle = home.newHandle()
      const signers = Array.from({ length: racers }, () => home.signing.makeSigner())
      const answers = await Promise.all(
        signers.map((signer) => home.register(signer, handle, home.registration(signer, handle)))
      )
      const won = oneWins(answers, "handle_taken")
      const record = await home.record({ handle })
      equals(record, fits(record, "record"), fits(won, "record"), "the record")
    }
  },
  {
    id: "race-primary",
    requirements: ["KEZ-REG-014"],
    why: "one key that asks for several handles at one time gets one",
    run: async (home) => {
      const signer = home.signing.makeSigner()
      const handles = Array.from({ length: racers }, () => home.newHandle())
      oneWins(
        await Promise.all(handles.map((handle) => home.register(signer, handle, home.registration(signer, handle)))),
        "primary_taken"
      )
    }
  },
  {
    id: "reserved",
    requirements: ["KEZ-REG-015"],
    why: "names that people take for the server's own are kept back",
    run: async (home) => {
      const handle = await reservedHandle(home)
      const signer = home.signing.makeSigner()
      refuses(await home.register(signer, handle, home.registration(signer, handle)), "handle_reserved")
    }
  },
  {
    id: "replay",
    requirements: ["KEZ-REG-016", "KEZ-REG-026"],
    why: "the registration of a deleted account, sent again, must not bring it back",
    run: async (home) => {
      const { handle, registration, signer } = await home.deletedAccount()
      refuses(await home.register(signer, handle, registration), "handle_deleted")
    }
  },
  {
    id: "forged",
    requirements: ["KEZ-REG-009", "KEZ-SIG-011"],
    why: "nobody can register for a key that is not theirs",
    run: async (home) => refuses(await send(home, {}, forged), "signature_invalid")
  },
  {
    id: "altered",
    requirements: ["KEZ-REG-009", "KEZ-SIG-011"],
    why: "a payload that was changed after signing is not what was signed",
    run: async (home) =>
      refuses(
        await send(home, {}, (envelope) => ({
          ...envelope,
          payload: { ...envelope.payload, handle: home.newHandle() }
        })),
        "signature_invalid"
      )
  },
  {
    id: "verified-first",
    requirements: ["KEZ-REG-009"],
    why: "a forged registration of a taken handle is refused for its signature, before anything is compared",
    run: async (home) => {
      const { handle } = await home.account()
      const other = home.signing.makeSigner()
      refuses(await home.offer(forged(home.registration(other, handle))), "signature_invalid")
    }
  },
  {
    id: "other-signer",
    requirements: ["KEZ-REG-009", "KEZ-SIG-005"],
    why: "the signature is valid, but by another key than the one that the statement names",
    run: async (home) => {
      const other = home.signing.makeSigner()
      refuses(await send(home, { primary: other.primary }), "envelope_kind")
    }
  },
  {
    id: "weak-key",
    requirements: ["KEZ-REG-009"],
    why: "a point of small order verifies signatures of nobody",
    run: async (home) =>
      refuses(
        await send(home, {}, ({ kez, payload, signature }) => ({
          kez,
          payload: { ...payload, primary: `ed25519:${weakKey}` },
          signature: { ...signature, key: `ed25519:${weakKey}`, sig: `${weakKey}${"00".repeat(32)}` }
        })),
        "key_rejected"
      )
  },
  {
    id: "kind",
    requirements: ["KEZ-SIG-003", "KEZ-SIG-006"],
    why: "a statement made to delete must not register",
    run: async (home) => {
      const signer = home.signing.makeSigner()
      const handle = home.newHandle()
      refuses(await home.register(signer, handle, home.deletion(signer, handle)), "envelope_kind")
    }
  },
  {
    id: "version",
    requirements: ["KEZ-SIG-004"],
    why: "a statement of a later version means something that this server does not know",
    run: async (home) => refuses(await send(home, { version: 2 }), "envelope_kind")
  },
  {
    id: "outer-member",
    requirements: ["KEZ-SIG-001"],
    why: "a member outside of the payload is under no signature",
    run: async (home) => refuses(await send(home, {}, (envelope) => ({ ...envelope, note: 1 })), "envelope_malformed")
  },
  {
    id: "time",
    requirements: ["KEZ-CAN-003"],
    why: "a time has one form",
    run: async (home) => refuses(await send(home, { created_at: "2026-05-25 00:00:00" }), "timestamp_malformed")
  },
  {
    id: "wrong-type",
    requirements: ["KEZ-ERR-004"],
    why: "a number where a string belongs is refused, and nothing worse",
    run: async (home) => refuses(await send(home, { handle: 7 }), "envelope_malformed", "handle_malformed")
  },
  ...malformedHandles.map(([id, handle, why]) => ({
    id,
    requirements: ["KEZ-REG-001"],
    why,
    run: async (home: HomeVisit) => refuses(await send(home, { handle }), "handle_malformed")
  }))
])

/** Leaves a check out where the home's description does not say this of who may register. */
const mustAdmit = ({ admits }: HomeVisit, who: "open" | "invite" | "closed"): void => {
  if (admits !== who) throw new NotChecked("not-applicable", `its description says "${admits}"`)
}

const flat = ({ payload, signature }: Envelope) => ({
  handle: payload["handle"],
  primary: payload["primary"],
  created_at: payload["created_at"],
  registration_sig: signature.sig
})

/** A handle that the operator or the server says is reserved. */
export const reservedHandle = async (home: HomeVisit): Promise<string> => {
  if (home.reserved !== undefined) return home.reserved
  for (const handle of keptBack) {
    const { status } = await home.record({ handle })
    if (status === 403) return handle
  }
  throw new NotChecked("not-applicable", `none of ${keptBack.join(", ")} is reserved here; --reserved names another`)
}
