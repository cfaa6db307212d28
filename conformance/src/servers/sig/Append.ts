/** `POST /v1/sigchains/ed25519/<hex>/events`: what is stored (spec: sigchain). What is refused: `Refuse.ts`. */
import { group } from "../Check.ts"
import { equals, hasStatus, holds, jsonOf, refuses } from "../Expect.ts"
import { type AboutSig, hasHead, headIn, isRefused, remains } from "./SigExpect.ts"
import type { SigFact } from "./SigFacts.ts"
import type { Chain, SigVisit } from "./SigVisit.ts"

const racers = 8

/** The server stores events signed as the specification says, and no others. */
const wantsOurSignatures = async (sig: SigVisit, about: AboutSig): Promise<void> => {
  about("ed25519-message")
  const chain = sig.empty()
  const [ours, ...others] = sig.signing.rules
  for (const rule of others) {
    const answer = await sig.append(chain, sig.next(chain, {}, { ...sig.dialect, rule }))
    holds(answer, answer.status >= 400, `${sig.dialect.rule === ours ? "also accepts" : "accepts only"} ${rule}`)
  }
}

/** The server links events as the specification says, and by nothing else. */
const wantsOurLinks = async (sig: SigVisit, about: AboutSig): Promise<void> => {
  about("prev-input")
  const chain = await sig.extended(sig.empty(), {})
  const [[ours], ...others] = sig.signing.links(chain.events[0]!)
  for (const [name, prev] of others) {
    const answer = await sig.append(chain, sig.next(chain, { prev }))
    const hashed = `prev as a hash of ${name}`
    holds(answer, answer.status >= 400, `${sig.dialect.link === ours ? "also accepts" : "accepts only"} ${hashed}`)
  }
}

/** Events of operations that KEZ's pages do not name are stored as they are. */
const stores =
  (fact: SigFact, ...others: ReadonlyArray<object>) =>
  async (sig: SigVisit, about: AboutSig): Promise<void> => {
    const first = await sig.extended(sig.empty(), {})
    about(fact)
    await remains(sig, await sig.extended(first, ...others, {}))
  }

/** A rotation of the chain to a new key, whose consent `change` can spoil. */
const rotation = (sig: SigVisit, chain: Chain, change: (sig: string) => string = (same) => same): object => {
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
  const { signature } = successor.sign("", acceptance, sig.dialect.rule)
  return { op: "rotate", created_at, payload: { new_primary: successor.primary, new_sig: change(signature.sig) } }
}

export const append = group<SigVisit, SigFact>("sig-server/append", [
  {
    id: "first",
    requirements: ["KEZ-SIG-107", "KEZ-SIG-013"],
    why: "the first event begins a chain, and its hash is the head",
    run: async (sig, about) => {
      about("append")
      const chain = sig.empty()
      const event = sig.next(chain)
      const answer = await sig.append(chain, event)
      hasStatus(answer, 200, 201, 202, 204)
      sig.begun += 1
      about("served")
      await remains(sig, { ...chain, events: [event] })
      await wantsOurSignatures(sig, about)
      about("append-answer")
      hasStatus(answer, 201)
      equals(answer, headIn(answer), { seq: 0, hash: sig.linkTo(event) }, "the head")
    }
  },
  {
    id: "next",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-107"],
    why: "the next event names the one before",
    run: async (sig, about) => {
      about("append")
      const chain = await sig.chain()
      about("served")
      await remains(sig, chain)
      await wantsOurLinks(sig, about)
      about("head")
      await hasHead(sig, chain)
    }
  },
  {
    id: "at-chain",
    requirements: ["KEZ-SIG-131"],
    why: "deployed clients append at the chain's own URL",
    run: async (sig, about) => {
      about("append-url")
      for (const at of ["", "/events"]) {
        const chain = sig.empty()
        hasStatus(await sig.append(chain, sig.next(chain), at), 200, 201, 202, 204)
        sig.begun += 1
      }
    }
  },
  {
    id: "loose",
    requirements: ["KEZ-CAN-013"],
    why: "an event written with spaces is the same event, and hashed in its canonical form",
    run: async (sig, about) => {
      about("canonical")
      const chain = sig.empty()
      const { kez, payload, signature } = sig.next(chain)
      const event = { signature, payload, kez }
      const answer = await sig.append(chain, JSON.stringify(event, null, 2))
      hasStatus(answer, 200, 201, 202, 204)
      sig.begun += 1
      await remains(sig, { ...chain, events: [event] })
      about("append-answer")
      equals(answer, headIn(answer), { seq: 0, hash: sig.linkTo(event) }, "the head")
    }
  },
  {
    id: "unknown-member",
    requirements: ["KEZ-SIG-002"],
    why: "a later version signs more members; a server that drops them breaks the signature",
    run: stores("payload-members", { kezct_later: { any: "thing" } })
  },
  {
    id: "replay",
    requirements: ["KEZ-SIG-128"],
    why: "a client whose answer was lost sends the event again, and learns the same",
    run: async (sig, about) => {
      const empty = sig.empty()
      const first = sig.next(empty)
      const before = await sig.append(empty, first)
      const chain = await sig.extended({ ...empty, events: [first] }, {})
      const again = await sig.append(chain, first)
      about("chain-order")
      await remains(sig, chain)
      about("append-again")
      hasStatus(again, 200)
      equals(again, jsonOf(again), jsonOf(before), "the answer")
    }
  },
  {
    id: "race",
    requirements: ["KEZ-SIG-129"],
    why: "of devices that append at one time one wins, and the others learn the head",
    run: async (sig, about) => {
      const chain = sig.empty()
      const events = Array.from({ length: racers }, (_, index) =>
        sig.next(chain, { payload: { subject: `dns:race-${index}.kezct.example` } })
      )
      const answers = await Promise.all(events.map((event) => sig.append(chain, event)))
      sig.begun += 1
      about("chain-order")
      const won = answers.flatMap(({ status }, index) => (status < 300 ? [events[index]!] : []))
      holds(answers[0]!, won.length === 1, `${won.length} of ${racers} requests that race succeeded; it must be one`)
      await remains(sig, { ...chain, events: won })
      about("problem-form")
      for (const answer of answers) if (answer.status >= 300) refuses(answer, "chain_conflict")
    }
  },
  {
    id: "unknown-op",
    requirements: ["KEZ-SIG-108"],
    why: "a later version has more operations; a server that drops them breaks the chain",
    run: stores("operations", { op: "kezct_later", payload: { any: [1, { thing: true }] } })
  },
  {
    id: "ignored",
    requirements: ["KEZ-SIG-109"],
    why: "an add without subject and a revoke of nothing are kept",
    run: stores("operations", { payload: {} }, { op: "revoke", payload: { subject: "dns:never.kezct.example" } })
  },
  {
    id: "remove-nothing",
    requirements: ["KEZ-SIG-113"],
    why: "to remove an endpoint that is not there has no effect, and is no error",
    run: stores("operations", {
      op: "remove_endpoint",
      payload: { protocol: "nats", url: "tls://kezct.example" }
    })
  },
  {
    id: "rotate",
    requirements: ["KEZ-SIG-118", "KEZ-SIG-119", "KEZ-SIG-128"],
    why: "a rotation ends the chain: what the old key signs afterwards does not count",
    run: async (sig, about) => {
      const chain = await sig.extended(sig.empty(), {})
      about("rotation")
      const ended = await sig.extended(chain, rotation(sig, chain))
      await isRefused(sig, about, "rotation", await sig.append(ended, sig.next(ended)), ended, "chain_terminated")
      about("append-again")
      for (const event of ended.events) hasStatus(await sig.append(ended, event), 200)
    }
  },
  {
    id: "rotate-forged",
    requirements: ["KEZ-SIG-118"],
    why: "nobody can be made the successor without their consent",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const forged = rotation(sig, chain, (consent) => `${consent.slice(0, 64)}${"0".repeat(64)}`)
      await isRefused(
        sig,
        about,
        "rotation",
        await sig.append(chain, sig.next(chain, forged)),
        chain,
        "signature_invalid"
      )
    }
  },
  {
    id: "rotate-self",
    requirements: ["KEZ-SIG-118"],
    why: "a key is not its own successor",
    run: async (sig, about) => {
      const chain = await sig.chain()
      const payload = { new_primary: chain.signer.primary, new_sig: "0".repeat(128) }
      const answer = await sig.append(chain, sig.next(chain, { op: "rotate", payload }))
      await isRefused(sig, about, "rotation", answer, chain, "event_malformed")
    }
  }
])
