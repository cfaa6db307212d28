/** The versions that a report names. */
import manifest from "../../package.json" with { type: "json" }
import { vectorFiles } from "./Data.ts"

export const suiteVersion: string = manifest.version

const [, first] = vectorFiles()[0] ?? []
/** Of the specification, as its vectors name it. */
export const specVersion: string = first?.spec ?? ""
export const vectorsVersion: string = first?.vectors ?? ""
