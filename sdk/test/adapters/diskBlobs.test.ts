import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { DiskBlobStore } from "@kez-chat/sdk/node"
import { blobStoreKit } from "../kits/blobStoreKit.ts"

const root = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "kez-blobs-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Flips a bit of any file in a folder; in the last tenth of the numbers it cuts the file off there instead. */
const damage = (folder: string) => (at: number) => {
  const files = readdirSync(folder)
  const place = at * files.length
  const name = files[Math.floor(place)]
  if (name === undefined) return
  const file = openSync(join(folder, name), "r+")
  try {
    const position = Math.floor((place % 1) * fstatSync(file).size)
    if ((at * 1000) % 1 > 0.9) return ftruncateSync(file, position)
    const byte = new Uint8Array(1)
    if (readSync(file, byte, 0, 1, position) === 0) return
    byte[0] = byte[0]! ^ (1 << Math.floor((at * 8191) % 8))
    writeSync(file, byte, 0, 1, position)
  } finally {
    closeSync(file)
  }
}

blobStoreKit(
  "disk",
  Effect.map(root, (path) => {
    const folder = join(path, "deep", "blobs")
    return { open: DiskBlobStore.make({ folder }), damage: damage(folder) }
  })
)
