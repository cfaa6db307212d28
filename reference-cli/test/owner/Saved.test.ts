import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import * as Saved from "../../src/owner/Saved.ts"

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-saved-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

it("remembers where each blob was saved last, and shrugs at damage", () => {
  const file = path.join(folder, "saved.jsonl")
  expect(Saved.read(file).size).toBe(0)
  Saved.note(file, { blobHash: "blake3:a", path: "/one" })
  fs.appendFileSync(file, '{"blob_hash":7}\n\nnot json\n{"blob_ha')
  fs.appendFileSync(file, "\n")
  Saved.note(file, { blobHash: "blake3:b", path: "/with\nbreak" })
  Saved.note(file, { blobHash: "blake3:a", path: "/two" })
  expect([...Saved.read(file)]).toEqual([
    ["blake3:a", "/two"],
    ["blake3:b", "/with\nbreak"]
  ])
  expect(fs.statSync(file).mode & 0o777).toBe(0o600)
})
