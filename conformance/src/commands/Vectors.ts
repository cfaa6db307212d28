/** `kez-conformance vectors`: every case of the specification's vectors, asked of a shim. */
import { vectorChecks } from "../suite/Checks.ts"
import { runVectors } from "../vectors/Run.ts"
import { parse } from "./Options.ts"
import { runShim, shimOptions } from "./ShimRun.ts"

export const vectors = async (args: ReadonlyArray<string>): Promise<number> =>
  runShim("vectors", parse(args, shimOptions).values, vectorChecks(), runVectors)
