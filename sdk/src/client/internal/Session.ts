/** What a use case needs to act for the account: its keys and its row. */
import type { Identity } from "../../crypto/Identity.ts"
import type { AccountRow } from "./rows/index.ts"

export interface Session {
  readonly identity: Identity
  /** The current row: `step` and `head` change while creation completes. */
  readonly account: () => AccountRow
}
