/**
 * The entry of every npm script: checks Node, does what set-up the task needs, and runs the task under Node 24.
 *
 *   node deploy/run.mjs <task> [arguments for the task]
 */
import "./check-node.mjs"

// Loaded only after the check above, since an old Node cannot even read them.
const { runTask } = await import("./tasks.mjs")
await runTask(process.argv[2], process.argv.slice(3))
