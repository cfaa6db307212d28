/** What a home server signs for a sender that asks (spec: broker, Acceptance). */
import { createHash, createPublicKey, verify } from "node:crypto"
import { group } from "../Check.ts"
import { NotChecked } from "../Outcome.ts"
import { type BrokerVisit, demand } from "./BrokerVisit.ts"
import { headerBlock } from "./Connection.ts"
import { kezId, sealed, type User } from "./User.ts"

const sha256 = (...parts: ReadonlyArray<string | Uint8Array>): string => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return `sha256:${hash.digest("hex")}`
}

const keyForm = /^ed25519:([0-9a-f]{64})$/

/** The keys of the description; without any, there is nothing to check. */
const keysOf = ({ acceptanceKeys }: BrokerVisit): ReadonlyArray<unknown> => {
  if (acceptanceKeys === undefined) throw new NotChecked("not-applicable", "the home server signs no acceptances")
  return Array.isArray(acceptanceKeys) ? acceptanceKeys : []
}

/** Sends a frame and asks for a signature; the answer must be signed for this frame and recipient. */
const sendSigned = async (visit: BrokerVisit, from: User, to: User, what: string): Promise<void> => {
  const [first] = keysOf(visit)
  const frame = sealed()
  const answer = await from.sendWith(to.hex, frame, headerBlock(`Kez-Id: ${kezId()}`, "Kez-Accept: 1"))
  const { at, ok, sig, ...others } = JSON.parse(answer) as Record<string, unknown>
  const isForm =
    ok === 1 && typeof at === "string" && typeof sig === "string" && /^[\w-]{86}$/.test(sig) && answer.length <= 256
  demand(isForm && Object.keys(others).length === 0, `${what} is not answered with ok, at and sig alone`, answer)
  const hex = keyForm.exec(String(first))?.[1] ?? ""
  const payload = visit.signing.canonical({
    type: "kez.chat.acceptance",
    version: 1,
    server: visit.home.server,
    key: first,
    recipient: sha256("kez.chat.acceptance/1\0", Buffer.from(to.hex, "hex")),
    frame: sha256(frame),
    accepted_at: at
  })
  const x = Buffer.from(hex, "hex").toString("base64url")
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })
  const digest = createHash("sha512").update(payload).digest()
  const holds = verify(null, digest, key, Buffer.from(String(sig), "base64url"))
  demand(holds, `the signature for ${what} does not hold under the first of acceptance_keys`, { answer, payload })
  const away = Math.abs(Date.parse(String(at)) - Date.parse(visit.home.time(0)))
  demand(away < 300_000, `the time signed for ${what} is not that of the home server's clock`, at)
}

export const acceptance = group<BrokerVisit>("broker/acceptance", [
  {
    id: "signed",
    requirements: ["KEZ-NAT-100"],
    why: "a sender can show what the home accepted, for whom and when",
    run: async (visit) => {
      const [alice, bob] = await visit.friends()
      await sendSigned(visit, alice, bob, "a frame")
    }
  },
  {
    id: "unasked",
    requirements: ["KEZ-NAT-100"],
    why: "clients that know nothing of acceptances get the answer that they know",
    run: async (visit) => {
      keysOf(visit)
      const [alice, bob] = await visit.friends()
      await alice.sendOk(bob.hex)
    }
  },
  {
    id: "blocked",
    requirements: ["KEZ-NAT-101"],
    why: "a signature that is missing would tell who is blocked",
    run: async (visit) => {
      keysOf(visit)
      const [blocker, sender] = [await visit.user("blocker"), await visit.newUser()]
      await blocker.block("add", sender.hex)
      await sendSigned(visit, sender, blocker, "a frame of a blocked sender")
    }
  }
])
