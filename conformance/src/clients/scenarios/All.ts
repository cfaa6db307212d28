/** All scenarios. */
import type { Scenario } from "../Scenario.ts"
import { accounts } from "./Accounts.ts"
import { chains } from "./chains/Chains.ts"
import { contacts } from "./Contacts.ts"
import { frames } from "./inbox/Frames.ts"
import { handedOver } from "./chains/HandedOver.ts"
import { inbox } from "./inbox/Inbox.ts"
import { keyChanges } from "./chains/KeyChanges.ts"
import { logins } from "./Logins.ts"
import { mailbox } from "./Mailbox.ts"
import { manifests } from "./files/Manifests.ts"
import { ownCopies } from "./OwnCopies.ts"
import { pages } from "./inbox/Pages.ts"
import { receipts } from "./Receipts.ts"
import { records } from "./Records.ts"
import { requests } from "./Requests.ts"
import { rotations } from "./chains/Rotations.ts"
import { sending } from "./Sending.ts"
import { devices } from "./files/Devices.ts"
import { fetching } from "./files/Fetching.ts"
import { serving } from "./files/Serving.ts"
import { sharing } from "./files/Sharing.ts"
import { stream } from "./inbox/Stream.ts"

export const allScenarios: ReadonlyArray<Scenario> = [
  ...inbox,
  ...frames,
  ...pages,
  ...stream,
  ...sending,
  ...ownCopies,
  ...chains,
  ...keyChanges,
  ...handedOver,
  ...rotations,
  ...contacts,
  ...requests,
  ...mailbox,
  ...receipts,
  ...accounts,
  ...records,
  ...logins,
  ...manifests,
  ...sharing,
  ...devices,
  ...fetching,
  ...serving
]
