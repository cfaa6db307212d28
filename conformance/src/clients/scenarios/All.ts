/** All scenarios. */
import type { Scenario } from "../Scenario.ts"
import { accounts } from "./Accounts.ts"
import { chains } from "./Chains.ts"
import { contacts } from "./Contacts.ts"
import { frames } from "./Frames.ts"
import { inbox } from "./Inbox.ts"
import { keyChanges } from "./KeyChanges.ts"
import { logins } from "./Logins.ts"
import { pages } from "./Pages.ts"
import { receipts } from "./Receipts.ts"
import { records } from "./Records.ts"
import { sending } from "./Sending.ts"
import { stream } from "./Stream.ts"

export const allScenarios: ReadonlyArray<Scenario> = [
  ...inbox,
  ...frames,
  ...pages,
  ...stream,
  ...sending,
  ...chains,
  ...keyChanges,
  ...contacts,
  ...receipts,
  ...accounts,
  ...records,
  ...logins
]
