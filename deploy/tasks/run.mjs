/**
 * The entry of every npm script: checks Node, does what set-up the task needs, and runs the task under Node 24.
 *
 *   node deploy/tasks/run.mjs <task> [arguments for the task]
 */
import "./check-node.mjs"

// Loaded only after the check above, since an old Node cannot even read it; nor could it read a top-level await here.
import("./tasks.mjs").then(({ runTask }) => runTask(process.argv[2], process.argv.slice(3)))
