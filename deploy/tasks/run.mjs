/**
 * Entry of every npm script: checks Node, installs the packages when needed, and runs the task under Node 24.
 *
 *   node deploy/tasks/run.mjs <task> [arguments for the task]
 */
import "./check-node.mjs"

// Imported dynamically, after the check above: an old Node cannot parse it. No top-level await for the same reason.
import("./tasks.mjs").then(({ runTask }) => runTask(process.argv[2] ?? "", process.argv.slice(3)))
