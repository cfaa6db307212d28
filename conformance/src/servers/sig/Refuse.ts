/** `POST /v1/sigchains/ed25519/<hex>/events`: what is refused (spec: sigchain). */
import { group } from "../Check.ts"
import { equals, jsonOf, refuses } from "../Expect.ts"
import { forged } from "../Signing.ts"
import { type AboutSig, isRefused, remains } from "./SigExpect.ts"
import type { SigFact } from "./SigFacts.ts"
import type { Chain, SigVisit } from "./SigVisit.ts"

const digits = "0".repeat(64)

/** The next event of the shared chain with members replaced is refused, and the chain stays. */
const refused =
  (fact: SigFact, other: object, ...codes: ReadonlyArray<string>) =>
  async (sig: SigVisit, about: AboutSig): Promise<void> => {
    const chain = await sig.chain()
    await isRefused(sig, about, fact, await sig.append(chain, sig.next(chain, other)), chain, ...codes)
  }

/** An event that does not extend the head is refused, and the answer says where the head is. */
const conflicts =
  (other: object | ((sig: SigVisit, chain: Chain) => object)) =>
  async (sig: SigVisit, about: AboutSig): Promise<void> => {
    const chain = await sig.chain()
    const event = sig.next(chain, typeof other === "function" ? other(sig, chain) : other)
    const answer = await sig.append(chain, event)
    await isRefused(sig, about, "chain-order", answer, chain, "chain_conflict")
    equals(answer, (jsonOf(answer) as { head?: unknown }).head, sig.headOf(chain), "the member head")
  }

/** Events with a wrong member or operation. */
const malformed: ReadonlyArray<
  readonly [id: string, fact: SigFact, other: object, requirements: ReadonlyArray<string>, why: string]
> = [
  ["no-prev", "event-form", { prev: undefined }, ["KEZ-SIG-102"], "an event after the first names the one before"],
  ["op-empty", "operations", { op: "" }, ["KEZ-SIG-101"], "an operation has a name"],
  ["op-long", "operations", { op: "o".repeat(65) }, ["KEZ-SIG-101"], "a name of 65 characters"],
  ["no-payload", "event-form", { payload: undefined }, ["KEZ-SIG-101"], "the operation has an object"],
  ["payload-text", "event-form", { payload: "kezct" }, ["KEZ-SIG-101"], "the operation has an object, not text"],
  ["seq-text", "event-form", { seq: "3" }, ["KEZ-SIG-101"], "a position is an integer"],
  [
    "endpoint-inbox",
    "operations",
    { op: "add_endpoint", payload: { protocol: "nats", url: "tls://kezct.example", inbox: `kez.inbox.${digits}` } },
    ["KEZ-SIG-112"],
    "nobody can lead their messages to the inbox of another"
  ],
  [
    "endpoint-url",
    "operations",
    { op: "add_endpoint", payload: { protocol: "nats", url: "https://kezct.example" } },
    ["KEZ-SIG-112"],
    "a broker has a nats or tls URL"
  ],
  [
    "endpoint-protocol",
    "operations",
    { op: "add_endpoint", payload: { protocol: "kezct", url: "tls://kezct.example" } },
    ["KEZ-SIG-112"],
    "a protocol that this version does not have"
  ],
  [
    "files-hash",
    "operations",
    { op: "set_shared_files", payload: { manifest: `sha256:${digits}`, size: 1, revision: 1 } },
    ["KEZ-SIG-110"],
    "a manifest has a BLAKE3 hash"
  ],
  [
    "files-size",
    "operations",
    { op: "set_shared_files", payload: { manifest: `blake3:${digits}`, size: 1_048_577, revision: 1 } },
    ["KEZ-SIG-110"],
    "no manifest is that large"
  ],
  [
    "files-revision",
    "operations",
    { op: "set_shared_files", payload: { manifest: `blake3:${digits}`, size: 1, revision: -1 } },
    ["KEZ-SIG-141"],
    "a revision below 0"
  ]
]

export const refuse = group<SigVisit, SigFact>("sig-server/append", [
  {
    id: "fork",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "another event at a place that is taken would show two histories",
    run: conflicts((sig, { events }) => ({ seq: 1, prev: sig.linkTo(events[0]!) }))
  },
  {
    id: "fork-head",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-127"],
    why: "nor can the head be replaced",
    run: conflicts((sig, { events }) => ({ seq: 2, prev: sig.linkTo(events[1]!) }))
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
    run: async (sig, about) => {
      const chain = sig.empty()
      const answer = await sig.append(chain, sig.next(chain, { seq: 1, prev: `sha256:${digits}` }))
      await isRefused(sig, about, "chain-order", answer, undefined, "chain_conflict")
      equals(answer, (jsonOf(answer) as { head?: unknown }).head, undefined, "the member head")
    }
  },
  {
    id: "first-prev",
    requirements: ["KEZ-SIG-102"],
    why: "nothing comes before the first event",
    run: async (sig, about) => {
      const chain = sig.empty()
      const answer = await sig.append(chain, sig.next(chain, { prev: `sha256:${digits}` }))
      await isRefused(sig, about, "event-form", answer, undefined, "event_malformed")
    }
  },
  {
    id: "time",
    requirements: ["KEZ-SIG-101", "KEZ-CAN-003"],
    why: "a time has whole seconds, so that every implementation writes it alike",
    run: refused("time-form", { created_at: "2026-05-25T00:00:00.123Z" }, "timestamp_malformed")
  },
  {
    id: "twice",
    requirements: ["KEZ-CAN-006", "KEZ-SIG-126"],
    why: "of two members of one name one reader takes the first and another the last",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const text = JSON.stringify(sig.next(chain)).replace("{", '{"kez":"claim",')
      await isRefused(sig, about, "strict-json", await sig.append(chain, text), chain, "json_duplicate_name")
    }
  },
  {
    id: "forged",
    requirements: ["KEZ-SIG-104", "KEZ-SIG-126", "KEZ-SIG-011"],
    why: "the signature is the only access control",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const answer = await sig.append(chain, forged(sig.next(chain)))
      await isRefused(sig, about, "access-control", answer, chain, "signature_invalid")
    }
  },
  {
    id: "other-chain",
    requirements: ["KEZ-SIG-104"],
    why: "an event of one chain must not be stored in another",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const other = { ...chain, signer: sig.signing.makeSigner() }
      const answer = await sig.append(chain, sig.next(other))
      about("access-control")
      await remains(sig, chain)
      about("problem-form")
      refuses(answer, "event_malformed")
    }
  },
  {
    id: "other-signer",
    requirements: ["KEZ-SIG-005", "KEZ-SIG-104"],
    why: "an event that names the chain's key and is signed by another",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const other = { ...chain, signer: sig.signing.makeSigner() }
      const answer = await sig.append(chain, sig.next(other, { primary: chain.signer.primary }))
      await isRefused(sig, about, "access-control", answer, chain, "envelope_kind")
    }
  },
  {
    id: "kind",
    requirements: ["KEZ-SIG-006"],
    why: "a statement of another kind is no event",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const claim = chain.signer.sign("claim", { ...sig.next(chain).payload, type: "kez.claim" }, sig.dialect.rule)
      await isRefused(sig, about, "event-form", await sig.append(chain, claim), chain, "envelope_kind")
    }
  },
  {
    id: "too-large",
    requirements: ["KEZ-SIG-103", "KEZ-SIG-126"],
    why: "an event of more than 65,536 bytes",
    run: refused("event-size", { payload: { subject: "dns:kezct.example", more: "m".repeat(65_536) } }, "too_large")
  },
  ...malformed.map(([id, fact, other, requirements, why]) => ({
    id,
    requirements: [...requirements, "KEZ-SIG-126"],
    why,
    run: refused(fact, other, "event_malformed")
  }))
])
