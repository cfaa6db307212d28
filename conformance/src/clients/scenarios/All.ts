/** All scenarios. */
import type { Scenario } from "../Scenario.ts"
import { frames } from "./Frames.ts"
import { inbox } from "./Inbox.ts"
import { sending } from "./Sending.ts"

export const allScenarios: ReadonlyArray<Scenario> = [...frames, ...inbox, ...sending]
