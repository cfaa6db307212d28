/** `POST /v1/sigchains/ed25519/<hex>/events` (spec: sigchain). */
import { group } from "../Check.ts"
import { equals, fits, hasStatus, oneWins, refuses } from "../Expect.ts"
import { forged } from "../Signing.ts"
import type { Chain, SigVisit } from "./SigVisit.ts"
import { pathOf } from "./SigVisit.ts"

const racers = 8

/** The head at the server is that of the chain. */
const remains = async (sig: SigVisit, chain: Chain): Promise<void> => {
  const answer = await sig.target.get(`${pathOf(chain.signer)}/head`)
  hasStatus(answer, 200)
  equals(answer, fits(answer, "head"), sig.headOf(chain), "the head")
}

/** The next event of the shared chain with something wrong: it is refused, and the chain stays. */
const refused =
  (other: object | ((sig: SigVisit, chain: Chain) => object), ...codes: ReadonlyArray<string>) =>
  async (sig: SigVisit): Promise<void> => {
    const chain = await sig.chain()
    const event = sig.next(chain, typeof other === "function" ? other(sig, chain) : other)
    refuses(await sig.append(chain, event), ...codes)
    await remains(sig, chain)
  }

/** An event that does not extend the head: the answer says where the head is. */
const conflicts =
  (other: object | ((sig: SigVisit, chain: Chain) => object)) =>
  async (sig: SigVisit): Promise<void> => {
    const chain = await sig.chain()
    const event = sig.next(chain, typeof other === "function" ? other(sig, chain) : other)
    const answer = await sig.append(chain, event)
    refuses(answer, "chain_conflict")
    equals(answer, (JSON.parse(answer.text) as { head?: unknown }).head, sig.headOf(chain), "the member head")
    await remains(sig, chain)
  }

const digits = "0".repeat(64)

/** Events with a wrong member or operation. */
const malformed: ReadonlyArray<readonly [id: string, other: object, requirements: ReadonlyArray<string>, why: string]> =
  [
    ["no-prev", { prev: undefined }, ["KEZ-SIG-102"], "an event after the first names the one before"],
    ["op-empty", { op: "" }, ["KEZ-SIG-101"], "an operation has a name"],
    ["op-long", { op: "o".repeat(65) }, ["KEZ-SIG-101"], "a name of 65 characters"],
    ["no-payload", { payload: undefined }, ["KEZ-SIG-101"], "the operation has an object"],
    ["payload-text", { payload: "kezct" }, ["KEZ-SIG-101"], "the operation has an object, not text"],
    ["seq-text", { seq: "3" }, ["KEZ-SIG-101"], "a position is an integer"],
    [
      "endpoint-inbox",
      { op: "add_endpoint", payload: { protocol: "nats", url: "tls://kezct.example", inbox: `kez.inbox.${digits}` } },
      ["KEZ-SIG-112"],
      "nobody can lead their messages to the inbox of another"
    ],
    [
      "endpoint-url",
      { op: "add_endpoint", payload: { protocol: "nats", url: "https://kezct.example" } },
      ["KEZ-SIG-112"],
      "a broker has a nats or tls URL"
    ],
    [
      "endpoint-protocol",
      { op: "add_endpoint", payload: { protocol: "kezct", url: "tls://kezct.example" } },
      ["KEZ-SIG-112"],
      "a protocol that this version does not have"
    ],
    [
      "files-hash",
      { op: "set_shared_files", payload: { manifest: `sha256:${digits}`, size: 1, revision: 1 } },
      ["KEZ-SIG-110"],
      "a manifest has a BLAKE3 hash"
    ],
    [
      "files-size",
      { op: "set_shared_files", payload: { manifest: `blake3:${digits}`, size: 1_048_577, revision: 1 } },
      ["KEZ-SIG-110"],
      "no manifest is that large"
    ],
    [
      "files-revision",
      { op: "set_shared_files", payload: { manifest: `blake3:${digits}`, size: 1, revision: -1 } },
      ["KEZ-SIG-141"],
      "a revision below 0"
    ]
  ]

/** A rotation of the chain to a new key, whose consent `change` can spoil. */
const rotation =
  (change: (sig: string) => string = (sig) => sig) =>
  (sig: SigVisit, chain: Chain): object => {
    const successor = sig.signing.makeSigner()
    const { created_at, prev, seq } = sig.next(chain).payload
    const acceptance = {
      type: "kez.rotation_acceptance",
      version: 1,
      old: chain.signer.primary,
      new: successor.primary,
      seq,
      prev,
      created_at
    }
    const { signature } = successor.sign("", acceptance)
    return { op: "rotate", created_at, payload: { new_primary: successor.primary, new_sig: change(signature.sig) } }
  }

export const append = group<SigVisit>("sig-server/append", [
  {
    id: "first",
    requirements: ["KEZ-SIG-107", "KEZ-SIG-013"],
    why: "the first event begins a chain, and its hash is the head",
    run: async (sig) => {
      const chain = sig.empty()
      const event = sig.next(chain)
      const answer = await sig.append(chain, event)
      hasStatus(answer, 201)
      sig.begun += 1
      equals(answer, fits(answer, "head"), { seq: 0, hash: sig.signing.hash(event) }, "the head")
      await remains(sig, { ...chain, events: [event] })
    }
  },
  {
    id: "next",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-107"],
    why: "the next event names the one before",
    run: async (sig) => remains(sig, await sig.chain())
  },
  {
    id: "at-chain",
    requirements: ["KEZ-SIG-131"],
    why: "deployed clients append at the chain's own URL",
    run: async (sig) => {
      const chain = sig.empty()
      hasStatus(await sig.append(chain, sig.next(chain), ""), 201)
      sig.begun += 1
    }
  },
  {
    id: "loose",
    requirements: ["KEZ-CAN-013"],
    why: "an event written with spaces is the same event, and hashed in its canonical form",
    run: async (sig) => {
      const chain = sig.empty()
      const event = sig.next(chain)
      const answer = await sig.target.post(`${pathOf(chain.signer)}/events`, JSON.stringify(event, null, 2))
      hasStatus(answer, 201)
      sig.begun += 1
      equals(answer, fits(answer, "head"), { seq: 0, hash: sig.signing.hash(event) }, "the head")
    }
  },
  {
    id: "replay",
    requirements: ["KEZ-SIG-128"],
    why: "a client whose answer was lost sends the event again, and learns the same",
    run: async (sig) => {
      const chain = await sig.chain()
      for (const [seq, event] of chain.events.entries()) {
        const answer = await sig.append(chain, event)
        hasStatus(answer, 200)
        equals(answer, fits(answer, "head"), { seq, hash: sig.signing.hash(event) }, "the answer")
      }
      await remains(sig, chain)
    }
  },
  {
    id: "fork",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "another event at a place that is taken would show two histories",
    run: conflicts((sig, chain) => ({ seq: 1, prev: sig.signing.hash(chain.events[0]!) }))
  },
  {
    id: "fork-head",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "nor can the head be replaced",
    run: conflicts((sig, chain) => ({ seq: 2, prev: sig.signing.hash(chain.events[1]!) }))
  },
  {
    id: "new-start",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "a chain does not begin again",
    run: conflicts({ seq: 0, prev: undefined })
  },
  {
    id: "gap",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "an event that skips a place",
    run: conflicts({ seq: 4 })
  },
  {
    id: "wrong-prev",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "an event in the right place that names another before it",
    run: conflicts({ prev: `sha256:${digits}` })
  },
  {
    id: "not-first",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "a chain begins at 0; where there is none, the answer has no head",
    run: async (sig) => {
      const chain = sig.empty()
      const answer = await sig.append(chain, sig.next(chain, { seq: 1, prev: `sha256:${digits}` }))
      refuses(answer, "chain_conflict")
      equals(answer, (JSON.parse(answer.text) as { head?: unknown }).head, undefined, "the member head")
    }
  },
  {
    id: "first-prev",
    requirements: ["KEZ-SIG-102"],
    why: "nothing comes before the first event",
    run: async (sig) => {
      const chain = sig.empty()
      refuses(await sig.append(chain, sig.next(chain, { prev: `sha256:${digits}` })), "event_malformed")
    }
  },
  {
    id: "race",
    requirements: ["KEZ-SIG-129"],
    why: "of devices that append at one time one wins, and the others learn the head",
    run: async (sig) => {
      const chain = sig.empty()
      const events = Array.from({ length: racers }, (_, index) =>
        sig.next(chain, { payload: { subject: `dns:race-${index}.kezct.example` } })
      )
      oneWins(await Promise.all(events.map((event) => sig.append(chain, event))), "chain_conflict")
      sig.begun += 1
    }
  },
  {
    id: "forged",
    requirements: ["KEZ-SIG-104", "KEZ-SIG-126", "KEZ-SIG-011"],
    why: "the signature is the only access control",
    run: async (sig) => {
      const chain = await sig.chain()
      refuses(await sig.append(chain, forged(sig.next(chain))), "signature_invalid")
      await remains(sig, chain)
    }
  },
  {
    id: "other-chain",
    requirements: ["KEZ-SIG-104"],
    why: "an event of one chain must not be stored in another",
    run: async (sig) => {
      const chain = await sig.chain()
      const other = { ...chain, signer: sig.signing.makeSigner() }
      refuses(await sig.append(chain, sig.next(other)), "event_malformed")
      await remains(sig, chain)
    }
  },
  {
    id: "other-signer",
    requirements: ["KEZ-SIG-005", "KEZ-SIG-104"],
    why: "an event that names the chain's key and is signed by another",
    run: async (sig) => {
      const chain = await sig.chain()
      const other = { ...chain, signer: sig.signing.makeSigner() }
      refuses(await sig.append(chain, sig.next(other, { primary: chain.signer.primary })), "envelope_kind")
      await remains(sig, chain)
    }
  },
  {
    id: "kind",
    requirements: ["KEZ-SIG-006"],
    why: "a statement of another kind is no event",
    run: async (sig) => {
      const chain = await sig.chain()
      const { payload } = sig.next(chain)
      const claim = chain.signer.sign("claim", { ...payload, type: "kez.claim" })
      refuses(await sig.append(chain, claim), "envelope_kind")
    }
  },
  {
    id: "unknown-op",
    requirements: ["KEZ-SIG-108"],
    why: "a later version has more operations; a server that drops them breaks the chain",
    run: async (sig) => {
      const chain = await sig.extended(
        sig.empty(),
        {},
        { op: "kezct_later", payload: { any: [1, { thing: true }] } },
        {}
      )
      const answer = await sig.target.get(pathOf(chain.signer))
      const lines = chain.events.map((event) => `${sig.signing.canonical(event)}\n`).join("")
      equals(answer, answer.text, lines, "the chain")
    }
  },
  {
    id: "ignored",
    requirements: ["KEZ-SIG-109"],
    why: "an add without subject and a revoke of nothing are kept",
    run: async (sig) => {
      await sig.extended(
        sig.empty(),
        { payload: {} },
        { op: "revoke", payload: { subject: "dns:never.kezct.example" } }
      )
    }
  },
  {
    id: "remove-nothing",
    requirements: ["KEZ-SIG-113"],
    why: "to remove an endpoint that is not there has no effect, and is no error",
    run: async (sig) => {
      const payload = { protocol: "nats", url: "tls://kezct.example" }
      await sig.extended(sig.empty(), { op: "remove_endpoint", payload })
    }
  },
  {
    id: "rotate",
    requirements: ["KEZ-SIG-118", "KEZ-SIG-119"],
    why: "a rotation ends the chain: what the old key signs afterwards does not count",
    run: async (sig) => {
      const chain = await sig.extended(sig.empty(), {})
      const ended = await sig.extended(chain, rotation()(sig, chain))
      refuses(await sig.append(ended, sig.next(ended)), "chain_terminated")
    }
  },
  {
    id: "rotate-forged",
    requirements: ["KEZ-SIG-118"],
    why: "nobody can be made the successor without their consent",
    run: refused(
      rotation((sig) => `${sig.slice(0, 64)}${digits}`),
      "signature_invalid"
    )
  },
  {
    id: "rotate-self",
    requirements: ["KEZ-SIG-118"],
    why: "a key is not its own successor",
    run: refused(
      (_, { signer }) => ({ op: "rotate", payload: { new_primary: signer.primary, new_sig: "0".repeat(128) } }),
      "event_malformed"
    )
  },
  {
    id: "too-large",
    requirements: ["KEZ-SIG-103", "KEZ-SIG-126"],
    why: "an event of more than 65,536 bytes",
    run: refused({ payload: { subject: "dns:kezct.example", more: "m".repeat(65_536) } }, "too_large")
  },
  ...malformed.map(([id, other, requirements, why]) => ({
    id,
    requirements: [...requirements, "KEZ-SIG-126"],
    why,
    run: refused(other, "event_malformed")
  }))
])
