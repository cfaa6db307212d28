/** An account at work: its key, and what this device knows of itself. */
import type { Identity } from "../../crypto/Identity.ts"
import type { AccountRow } from "./rows/index.ts"

export interface Session {
  readonly identity: Identity
  /** The account as it is now; `step` and `head` move on while creation is finished. */
  readonly account: () => AccountRow
}
