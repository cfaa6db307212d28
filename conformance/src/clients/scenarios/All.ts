/** All scenarios. */
import type { Scenario } from "../Scenario.ts"
import { frames } from "./Frames.ts"
import { inbox } from "./Inbox.ts"

export const allScenarios: ReadonlyArray<Scenario> = [...frames, ...inbox]
