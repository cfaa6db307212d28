/** Chains that a sig-server makes up, or that bob signs himself although no rule allows them. */
import type { Envelope } from "../../../servers/Signing.ts"
import { hashOf, Keys } from "../../crypto/Keys.ts"
import type { Person } from "../../world/Person.ts"

type Chain = ReadonlyArray<Envelope>

/** What is no chain of bob that extends the known one. Nothing of it is used. */
export const lies: ReadonlyArray<{
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  readonly chain: (bob: Person, mallory: Person) => Chain
}> = [
  {
    id: "unsigned-event",
    requirements: ["KEZ-SIG-104", "KEZ-SIG-106", "KEZ-SIG-011"],
    why: "the last event bears a signature over something else",
    chain: (bob) => {
      const event = bob.event("add", { subject: "github:evil" })
      return [...bob.chain, { ...event, signature: bob.chain[0]!.signature }]
    }
  },
  {
    id: "event-of-another",
    requirements: ["KEZ-SIG-104", "KEZ-SIG-106"],
    why: "the last event is signed by another key",
    chain: (bob, mallory) => [...bob.chain, mallory.event("add", { subject: "github:evil" }, bob.chain)]
  },
  {
    id: "chain-of-another",
    requirements: ["KEZ-SIG-104", "KEZ-SIG-106"],
    why: "the whole chain is another key's",
    chain: (_, mallory) => mallory.chain
  },
  {
    id: "broken-link",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-106"],
    why: "the last event names another one before it",
    chain: (bob) => [
      ...bob.chain,
      bob.event("add", { subject: "github:evil" }, bob.chain, { prev: hashOf(bob.chain[0]!) })
    ]
  },
  {
    id: "skipped-seq",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-106"],
    why: "the last event counts one too many",
    chain: (bob) => [
      ...bob.chain,
      bob.event("add", { subject: "github:evil" }, bob.chain, { seq: bob.chain.length + 1 })
    ]
  },
  {
    id: "missing-event",
    requirements: ["KEZ-SIG-105", "KEZ-SIG-106"],
    why: "an event in the middle is left out",
    chain: (bob) => [...bob.chain.filter((_, index) => index !== 1), bob.event("add", { subject: "github:new" })]
  },
  {
    id: "malformed-event",
    requirements: ["KEZ-SIG-101", "KEZ-SIG-106"],
    why: "the last event, signed by bob, has no `op`",
    chain: (bob) => [...bob.chain, bob.event("", {}, bob.chain, { op: undefined })]
  },
  {
    id: "foreign-inbox",
    requirements: ["KEZ-SIG-112"],
    why: "the last event, signed by bob, names the inbox of somebody else",
    chain: (bob, mallory) => [
      ...bob.chain,
      bob.event("add_endpoint", bob.endpoint({ inbox: `kez.inbox.${mallory.keys.hex}` }))
    ]
  },
  {
    id: "bad-manifest",
    requirements: ["KEZ-SIG-110"],
    why: "the last event anchors a manifest of no size",
    chain: (bob) => [...bob.chain, bob.event("set_shared_files", { manifest: `blake3:${"0".repeat(64)}`, size: 0 })]
  },
  {
    id: "unaccepted-rotation",
    requirements: ["KEZ-SIG-118"],
    why: "the last event rotates to a key that never accepted",
    chain: (bob, mallory) => [
      ...bob.chain,
      bob.event("rotate", { new_primary: mallory.primary, new_sig: bob.keys.signPayload({ no: "acceptance" }) })
    ]
  },
  {
    id: "after-rotation",
    requirements: ["KEZ-SIG-119"],
    why: "an event follows a rotation",
    chain: (bob) => {
      const rotated = [...bob.chain, bob.rotation(new Keys())]
      return [...rotated, bob.event("add", { subject: "github:bob2" }, rotated)]
    }
  }
]
