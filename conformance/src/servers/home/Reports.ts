/** `POST /v1/report` (spec: reports). */
import { randomBytes } from "node:crypto"
import { base64Url, utf8 } from "../../clients/crypto/Bytes.ts"
import { canonical } from "../../clients/crypto/Canonical.ts"
import { Keys } from "../../clients/crypto/Keys.ts"
import { encrypt, opensOf, pad } from "../../clients/crypto/Messages.ts"
import { group } from "../Check.ts"
import { equals, hasStatus, holds, refuses } from "../Expect.ts"
import { NotChecked } from "../Outcome.ts"
import { type Envelope, forged, type Signer } from "../Signing.ts"
import type { Answer } from "../Target.ts"
import type { HomeVisit } from "./HomeVisit.ts"

const base64url = (length: number): string => base64Url(randomBytes(length))

type Named = Pick<Signer, "primary">

/** The members of a message but its ciphertext. */
const membersOf = (home: HomeVisit, from: Named, to: Named) => ({
  type: "kez.chat.message",
  version: 1,
  from: from.primary,
  to: to.primary,
  id: base64url(16),
  device: base64url(16),
  created_at: home.time(),
  seq: 0,
  suite: "x25519-hkdf-sha256-chacha20poly1305",
  salt: base64url(32)
})

/** A message of the right form that nobody can open. */
const message = (home: HomeVisit, from: Signer, to: Signer): Envelope =>
  from.sign("chat_message", { ...membersOf(home, from, to), ciphertext: base64url(292) })

/** A message with what opens it. */
const proven = (home: HomeVisit, from: Keys, to: Keys, text: string) => {
  const members = membersOf(home, from, to)
  const body = { type: "text", text, chain: { seq: 0, hash: `sha256:${"0".repeat(64)}` } }
  return {
    message: encrypt(from, to, members, pad(utf8(canonical(body)))),
    opens: opensOf(to, from, members)
  }
}

const envelope = (home: HomeVisit, reporter: Signer, reported: Signer, other: object): Envelope =>
  reporter.sign("report", {
    type: "kez.chat.report",
    version: 1,
    server: home.server,
    primary: reporter.primary,
    reported: reported.primary,
    reason: "other",
    note: "a check of kez-conformance",
    created_at: home.time(),
    messages: [],
    ...other
  })

/** A home may take no reports. */
const post = async (home: HomeVisit, body: unknown): Promise<Answer> => {
  const answer = await home.target.post("/v1/report", body)
  if (answer.status === 404 && answer.text.includes('"not_found"'))
    throw new NotChecked("not-applicable", "it takes no reports")
  return answer
}

/** A report by one new account of another. */
const report = async (home: HomeVisit, other: (reporter: Signer, reported: Signer) => object = () => ({})) => {
  const [reporter, reported] = [(await home.newAccount()).signer, (await home.account()).signer]
  return post(home, envelope(home, reporter, reported, other(reporter, reported)))
}

const idOf = (answer: Answer): string => {
  const { id } = JSON.parse(answer.text) as { readonly id?: unknown }
  holds(answer, typeof id === "string", "the answer names no id")
  return String(id)
}

const shows = (one: Envelope) => ({ messages: [{ message: one, opens: base64url(44) }] })

export const reports = group<HomeVisit>("server/reports", [
  {
    id: "taken",
    requirements: ["KEZ-RPT-001"],
    why: "a report of an account here by another is taken, and is one report when it is sent twice",
    run: async (home) => {
      const [reporter, reported] = [(await home.newAccount()).signer, (await home.account()).signer]
      const body = envelope(home, reporter, reported, {})
      const first = await post(home, body)
      hasStatus(first, 201)
      const again = await post(home, body)
      hasStatus(again, 200)
      equals(again, idOf(again), idOf(first), "the id of the same report")
    }
  },
  {
    id: "proven",
    requirements: ["KEZ-RPT-001", "KEZ-RPT-003"],
    why: "a report with two messages that the reported account signed and that open is taken",
    run: async (home) => {
      const [reporter, reported] = [new Keys(), new Keys()]
      for (const keys of [reporter, reported]) await home.newAccount(keys)
      const messages = ["one", "two"].map((text) => proven(home, reported, reporter, text))
      const answer = await post(home, envelope(home, reporter, reported, { messages }))
      hasStatus(answer, 201)
      idOf(answer)
    }
  },
  {
    id: "one-unproven",
    requirements: ["KEZ-RPT-003"],
    why: "of two messages the second comes with what opens the first",
    run: async (home) => {
      const [reporter, reported] = [new Keys(), new Keys()]
      for (const keys of [reporter, reported]) await home.newAccount(keys)
      const [one, two] = ["one", "two"].map((text) => proven(home, reported, reporter, text)) as [object, object]
      const messages = [one, { ...two, opens: (one as { readonly opens: string }).opens }]
      refuses(await post(home, envelope(home, reporter, reported, { messages })), "message_undecryptable")
    }
  },
  {
    id: "forged",
    requirements: ["KEZ-RPT-002"],
    why: "a report that its reporter did not sign",
    run: async (home) => {
      const [reporter, reported] = [(await home.newAccount()).signer, (await home.account()).signer]
      refuses(await post(home, forged(envelope(home, reporter, reported, {}))), "signature_invalid")
    }
  },
  {
    id: "wrong-server",
    requirements: ["KEZ-RPT-002"],
    why: "a report that was made for another server",
    run: async (home) => refuses(await report(home, () => ({ server: "elsewhere.example" })), "wrong_server")
  },
  {
    id: "too-old",
    requirements: ["KEZ-RPT-001", "KEZ-RPT-002"],
    why: "a report of ten minutes ago",
    run: async (home) => refuses(await report(home, () => ({ created_at: home.time(-600) })), "clock_skew")
  },
  {
    id: "too-new",
    requirements: ["KEZ-RPT-001", "KEZ-RPT-002"],
    why: "a report of ten minutes from now",
    run: async (home) => refuses(await report(home, () => ({ created_at: home.time(600) })), "clock_skew")
  },
  {
    id: "stranger",
    requirements: ["KEZ-RPT-002"],
    why: "a report by a key that has no handle there",
    run: async (home) => {
      const reported = (await home.account()).signer
      refuses(await post(home, envelope(home, home.signing.makeSigner(), reported, {})), "handle_not_found")
    }
  },
  {
    id: "of-stranger",
    requirements: ["KEZ-RPT-001"],
    why: "a report of a key that has no handle there",
    run: async (home) => {
      const { primary: reported } = home.signing.makeSigner()
      refuses(await report(home, () => ({ reported })), "handle_not_found")
    }
  },
  {
    id: "message-to-others",
    requirements: ["KEZ-RPT-003"],
    why: "a message that was not written to the reporter",
    run: async (home) => {
      const other = home.signing.makeSigner()
      refuses(await report(home, (_, reported) => shows(message(home, reported, other))), "message_misdirected")
    }
  },
  {
    id: "message-by-others",
    requirements: ["KEZ-RPT-003"],
    why: "a message that the reporter wrote",
    run: async (home) =>
      refuses(
        await report(home, (reporter, reported) => shows(message(home, reporter, reported))),
        "message_misdirected"
      )
  },
  {
    id: "message-forged",
    requirements: ["KEZ-RPT-003"],
    why: "a message that the reported account did not sign",
    run: async (home) =>
      refuses(
        await report(home, (reporter, reported) => shows(forged(message(home, reported, reporter)))),
        "signature_invalid"
      )
  },
  {
    id: "message-unproven",
    requirements: ["KEZ-RPT-003"],
    why: "key and nonce that do not open the message",
    run: async (home) =>
      refuses(
        await report(home, (reporter, reported) => shows(message(home, reported, reporter))),
        "message_undecryptable"
      )
  }
])
