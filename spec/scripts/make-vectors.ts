/**
 * Writes the vectors of the specification.
 *
 *     node spec/scripts/make-vectors.ts           writes spec/vectors
 *     node spec/scripts/make-vectors.ts --check   exits 1 if the files are not what this would write
 *
 * The generator is a second implementation, written from the text on node:crypto alone; it shares no code with the SDK.
 * Nothing in it is random. Expected errors are written by hand.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"
import * as broker from "./vectors/broker.ts"
import * as claims from "./vectors/claims.ts"
import * as contacts from "./vectors/contacts.ts"
import * as envelope from "./vectors/envelope.ts"
import * as filesArea from "./vectors/files.ts"
import * as identity from "./vectors/identity.ts"
import * as json from "./vectors/json.ts"
import * as manifest from "./vectors/manifest.ts"
import * as messages from "./vectors/messages.ts"
import * as proofs from "./vectors/proofs.ts"
import * as registration from "./vectors/registration.ts"
import * as sigchain from "./vectors/sigchain.ts"
import type { Case, Operation } from "./vectors/Vectors.ts"

const folder = path.resolve(import.meta.dirname, "../vectors")
const version = { spec: "0.1", vectors: "0.1.0", licence: "CC0-1.0" }

const areas = [
  identity,
  json,
  envelope,
  sigchain,
  registration,
  broker,
  messages,
  contacts,
  filesArea,
  manifest,
  proofs,
  claims
]
const operations: ReadonlyArray<Operation> = areas.flatMap((area) => area.operations)

const files = new Map<string, string>()
const add = (operation: Operation, kind: "valid" | "invalid", cases: ReadonlyArray<Case> | undefined) => {
  if (cases === undefined) return
  const ids = new Set(cases.map((one) => one.id))
  if (ids.size !== cases.length) throw new Error(`${operation.file}.${kind} has an id twice`)
  const { description, operation: name } = operation
  const content = { ...version, operation: name, kind, description, cases }
  files.set(`${operation.file}.${kind}.json`, `${JSON.stringify(content, undefined, 1)}\n`)
}
for (const operation of operations) {
  add(operation, "valid", operation.valid)
  add(operation, "invalid", operation.invalid)
}

const present = fs.existsSync(folder)
  ? fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"))
  : []
const stale = present.filter((name) => !files.has(name.split(path.sep).join("/")))

if (process.argv.includes("--check")) {
  const changed = [...files].filter(([name, text]) => {
    const file = path.join(folder, name)
    return !fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text
  })
  for (const [name] of changed) process.stderr.write(`spec/vectors/${name} is not what the generator writes\n`)
  for (const name of stale) process.stderr.write(`spec/vectors/${name} is not written by the generator\n`)
  if (changed.length > 0 || stale.length > 0) process.exitCode = 1
} else {
  for (const name of stale) fs.rmSync(path.join(folder, name))
  for (const [name, text] of files) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  const count = operations.reduce((sum, { valid, invalid }) => sum + (valid?.length ?? 0) + (invalid?.length ?? 0), 0)
  process.stdout.write(`${files.size} files, ${count} cases\n`)
}
