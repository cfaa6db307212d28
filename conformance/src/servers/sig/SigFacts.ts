/** What a sig-server is taken to do, and how well each is known of the one that KEZ runs. */
import { type Fact, facts as kez } from "../../probe/Facts.ts"

type Known = Pick<Fact, "mark" | "text">

const { "cross-origin": crossOrigin, "ed25519-message": message, "prev-input": prev, "time-form": time } = kez
const known = ({ mark, text }: Fact): Known => ({ mark, text })

export const sigFacts = {
  append: { mark: "SEEN", text: "A chain grows by a POST of one signed event; there are no accounts." },
  "access-control": { mark: "SEEN", text: "The signature is the access control: only its key extends a chain." },
  served: { mark: "SEEN", text: "A chain is served as application/jsonl, one envelope a line." },
  absent: { mark: "SEEN", text: "A key without a chain is answered with 404, or with 200 and nothing." },
  "cross-origin": known(crossOrigin),
  canonical: { mark: "SEEN", text: "A signature is over canonical JSON (JCS), however the event is laid out." },

  "ed25519-message": known(message),
  "prev-input": known(prev),
  "time-form": known(time),
  "event-form": {
    mark: "INFERRED",
    text: "An event of another form is refused: seq a number, prev absent exactly at 0, op and an object payload."
  },
  "chain-order": { mark: "INFERRED", text: "An event that does not extend the head of its chain is refused." },
  "key-form": { mark: "INFERRED", text: "A chain's path has the key in 64 lower-case hexadecimal digits." },

  "payload-members": { mark: "CHOSEN", text: "Members of a payload that the server does not know are kept." },
  "append-url": { mark: "CHOSEN", text: "Events are appended at the chain's URL, and at …/events." },
  "append-answer": { mark: "CHOSEN", text: "An append is answered with 201 and the new head." },
  "append-again": { mark: "CHOSEN", text: "An event that is stored already is answered with 200 and the same head." },
  "problem-form": { mark: "CHOSEN", text: "Errors are problem documents with the codes of the specification." },
  "chain-absent": { mark: "CHOSEN", text: "A key without a chain is answered with 404." },
  head: { mark: "CHOSEN", text: "…/head answers with the head." },
  since: { mark: "CHOSEN", text: "?since= leaves out the events before a position." },
  etag: { mark: "CHOSEN", text: "A chain has an ETag, and 304 says that it has not changed." },
  health: { mark: "CHOSEN", text: "/v1/healthz says whether the server works." },
  operations: {
    mark: "CHOSEN",
    text: "Operations that a server does not know are stored, those of this project checked."
  },
  rotation: { mark: "CHOSEN", text: "A rotation has the successor's consent and ends its chain." },
  "strict-json": { mark: "CHOSEN", text: "Events are strict JSON." },
  "event-size": { mark: "CHOSEN", text: "An event has at most 65,536 bytes." },
  "canonical-lines": { mark: "CHOSEN", text: "A chain is served in canonical JSON, with a line feed after each event." }
} as const satisfies Readonly<Record<string, Known>>

export type SigFact = keyof typeof sigFacts
