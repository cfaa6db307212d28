/** What a use case needs to act for the account: its keys and its row. */
import type { Identity } from "../../crypto/Identity.ts"
import type { AccountRow } from "./rows/index.ts"

export interface Session {
  readonly identity: Identity
  /** The current row: `step` and `head` change while creation completes. */
  readonly account: () => AccountRow
  /** The keys that the account had before: files that were offered to them open with these. The newest first. */
  readonly former?: ReadonlyArray<Identity>
  /** `identity` is a former key of the account: its mail is taken in, and nothing is sent for it. */
  readonly isRetired?: true
}
