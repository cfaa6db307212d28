/** Fetching: devices that give other bytes, none or too many, and the names under which files are saved. */
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { concat } from "../../crypto/Bytes.ts"
import { type OwnFile, ownFile, readRequest } from "../../crypto/Blobs.ts"
import { isRefused } from "../../Client.ts"
import { equals, holds, pause } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { fetch, filesIn, honestly, PeerDevice, type Saved, savedRight, type Serves } from "./PeerDevice.ts"

/** A few groups, and a last one that is not full. */
const size = 100_000

const shared = async (stage: Stage, file?: (owner: PeerDevice) => OwnFile) => {
  const { alice, bob, world } = await stage.pair()
  const device = await PeerDevice.open(world, bob)
  const own = file?.(device) ?? ownFile(bob.keys, "plan.bin", randomBytes(size))
  const [entry = ""] = device.shares([own], alice.keys)
  return { alice, bob, device, entry, file: own, world }
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[at]! ^= 1
  return copy
}

const saying = (honest: Uint8Array, length: number): Uint8Array => {
  const copy = Buffer.from(honest)
  copy.writeBigUInt64LE(BigInt(length))
  return copy
}

/** Writes until the other side wants no more, for a bounded time. */
const endlessly: Serves = async (stream, honest) => {
  await stream.write(honest)
  const end = Date.now() + 20_000
  while (Date.now() < end) {
    await stream.write(new Uint8Array(65_536))
    await pause(10)
  }
}

/** Answers that are not those of the blob; the transfer ends with the code, where one is named. */
const lies: ReadonlyArray<{
  readonly id: string
  readonly requirement: string
  readonly why: string
  readonly code?: string
  readonly serves: Serves
}> = [
  {
    id: "other-bytes",
    requirement: "KEZ-FIL-017",
    why: "one bit of the last group is another",
    code: "blob_mismatch",
    serves: (stream, honest) => honestly(stream, flipped(honest, honest.length - 1))
  },
  {
    id: "other-tree",
    requirement: "KEZ-FIL-017",
    why: "one bit of the first pair is another",
    code: "blob_mismatch",
    serves: (stream, honest) => honestly(stream, flipped(honest, 20))
  },
  {
    id: "other-length",
    requirement: "KEZ-FIL-018",
    why: "the answer says a greater length than the offered file has",
    code: "blob_mismatch",
    serves: (stream, honest) => honestly(stream, saying(honest, 2 ** 40))
  },
  {
    id: "more-bytes",
    requirement: "KEZ-FIL-018",
    why: "bytes follow a whole answer",
    code: "blob_mismatch",
    serves: (stream, honest) => honestly(stream, concat(honest, new Uint8Array(1_000)))
  },
  {
    id: "endless",
    requirement: "KEZ-FIL-018",
    why: "bytes follow a whole answer without end",
    code: "blob_mismatch",
    serves: endlessly
  },
  {
    id: "cut",
    requirement: "KEZ-FIL-018",
    why: "the answer ends in the middle",
    serves: (stream, honest) => honestly(stream, honest.subarray(0, honest.length / 2))
  },
  {
    id: "silent",
    requirement: "KEZ-FIL-018",
    why: "the answer stops in the middle and does not end",
    serves: (stream, honest) => stream.write(honest.subarray(0, honest.length / 2))
  },
  {
    id: "mute",
    requirement: "KEZ-FIL-018",
    why: "no byte is answered, and the stream stays open",
    serves: async () => undefined
  }
]

const refusals: ReadonlyArray<{ readonly id: string; readonly why: string; readonly serves: Serves }> = [
  { id: "code-1", why: "the device resets with code 1", serves: (stream) => stream.reset(1) },
  {
    id: "code-1-late",
    why: "the device resets with code 1 when it has begun to answer",
    serves: async (stream, honest) => {
      await stream.write(honest.subarray(0, 72))
      await pause(100)
      await stream.reset(1)
    }
  },
  { id: "code-3", why: "the device resets with code 3 before the first byte", serves: (stream) => stream.reset(3) },
  { id: "no-byte", why: "the device ends the stream before the first byte", serves: (stream) => stream.end() }
]

/** Names in the form of an entry that no file may have as they are. */
const hostile = [
  "-rf",
  "CON",
  "aux.c",
  "com1.tar.gz",
  "..%2f..%2fevil",
  "a:b",
  "\u{202e}gnp.exe",
  "be\u{2066}low",
  "next\u{85}line",
  "文".repeat(255),
  "x".repeat(255),
  " . ",
  "...",
  "C:evil.txt"
]

const device = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/iu
const shownOtherwise = /[\p{Cc}\u{61c}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/u

/** What is wrong with the name under which a file was saved. */
const faultOf = (name: string): string | undefined => {
  if (name === "." || name === "..") return "it is a name of a folder"
  if (name.startsWith("-")) return "it begins with -"
  if (/[/\\:]/.test(name)) return "it has a separator"
  if (shownOtherwise.test(name)) return "it has a control or bidirectional character"
  if (device.test(name)) return "it is the name of a device"
  return Buffer.byteLength(name) > 255 ? "it has more than 255 bytes" : undefined
}

export const fetching = group(
  "fetching",
  [
    {
      id: "whole",
      requirements: ["KEZ-FIL-019", "KEZ-FIL-017"],
      why: "a listed file is fetched from its owner's device with requests in the form, and saved as it was shared",
      run: async (stage: Stage) => {
        const { alice, bob, device, entry, file } = await shared(stage)
        const folder = stage.folder("whole")
        savedRight(await fetch(alice, bob, [entry], folder, 20_000), entry, file, folder)
        const { requests } = device.peer
        holds(
          requests.length > 0 && requests.every((bytes) => readRequest(bytes)),
          "a request has another form",
          requests
        )
      }
    },
    {
      id: "slow",
      requirements: ["KEZ-FIL-017"],
      why: "the answer comes byte by byte: the file is saved",
      run: async (stage: Stage) => {
        const { alice, bob, device, entry, file } = await shared(stage, ({ person }) =>
          ownFile(person.keys, "plan.txt")
        )
        device.serves = async (stream, honest) => {
          for (const byte of honest) {
            await stream.write(Uint8Array.of(byte))
            await pause(20)
          }
          await stream.end()
        }
        const folder = stage.folder("slow")
        savedRight(await fetch(alice, bob, [entry], folder, 30_000), entry, file, folder)
      }
    },
    ...lies.map(({ code, id, requirement, serves, why }) => ({
      id,
      requirements: [requirement],
      why: `${why}: nothing is saved, and afterwards an honest device gives the file`,
      run: async (stage: Stage) => {
        const { alice, bob, device, entry, file } = await shared(stage)
        device.serves = serves
        const folder = stage.folder(id)
        // Where the client need not notice, it may wait for ever.
        const first = await fetch(alice, bob, [entry], folder, code === undefined ? 6_000 : 20_000)
        if (code === undefined) holds(isRefused(first) || first.saved.length === 0, "a file is said to be saved", first)
        else equals(isRefused(first) ? first.code : first, code, "how the transfer ended")
        equals([...filesIn(folder).keys()], [], "the files in the folder")
        device.serves = honestly
        savedRight(await fetch(alice, bob, [entry], folder, 40_000), entry, file, folder)
      }
    })),
    {
      id: "resumed",
      requirements: ["KEZ-FIL-018"],
      why: "an answer that ends early is gone on with: what was verified is not asked for again",
      run: async (stage: Stage) => {
        const { alice, bob, device, entry, file } = await shared(stage)
        device.serves = async (stream, honest) => {
          device.serves = honestly
          await honestly(stream, honest.subarray(0, honest.length - 20_000))
        }
        const folder = stage.folder("resumed")
        savedRight(await fetch(alice, bob, [entry], folder, 30_000), entry, file, folder)
        holds(device.asked.length > 1, "it was asked for once only", device.asked)
        holds(
          device.asked.slice(1).every(([first]) => first! > 0),
          "the first chunk was asked for again",
          device.asked
        )
      }
    },
    {
      id: "other-key",
      requirements: ["KEZ-FIL-003"],
      why: "the blob is right, and the content key of the entry does not open it: nothing is saved",
      run: async (stage: Stage) => {
        const { alice, bob, entry } = await shared(stage, ({ person }) => {
          const own = ownFile(person.keys, "plan.txt")
          return { ...own, file: { ...own.file, content_key: ownFile(person.keys, "").file.content_key } }
        })
        const folder = stage.folder("other-key")
        const answer = await fetch(alice, bob, [entry], folder, 20_000)
        equals(isRefused(answer) ? answer.code : answer, "file_undecryptable", "how fetching ended")
        equals([...filesIn(folder).keys()], [], "the files in the folder")
      }
    },
    ...refusals.map(({ id, serves, why }) => ({
      id: `refused-${id}`,
      requirements: ["KEZ-FIL-023"],
      why: `${why}: the user learns that the file is refused, and may wish for it again`,
      run: async (stage: Stage) => {
        const { alice, bob, device, entry, file } = await shared(stage)
        device.serves = serves
        const folder = stage.folder(id)
        const answer = await fetch(alice, bob, [entry], folder, 40_000)
        equals(isRefused(answer) ? answer.code : answer, "refused", "how the transfer ended")
        device.serves = honestly
        savedRight(await fetch(alice, bob, [entry], folder, 30_000), entry, file, folder)
      }
    })),
    {
      id: "asked-to-come-later",
      requirements: ["KEZ-FIL-023"],
      why: "the device resets with code 2: the transfer waits, comes again and is completed",
      run: async (stage: Stage) => {
        const { alice, bob, device, entry, file } = await shared(stage)
        device.serves = async (stream) => {
          device.serves = honestly
          await stream.reset(2)
        }
        const folder = stage.folder("later")
        savedRight(await fetch(alice, bob, [entry], folder, 40_000), entry, file, folder)
      }
    },
    {
      id: "hostile-names",
      requirements: ["KEZ-FIL-010"],
      why: "names that lead elsewhere, are devices, options or too long: the files are saved in the folder, under others",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const owner = await PeerDevice.open(world, bob)
        const files = hostile.map((name) => ownFile(bob.keys, name))
        const entries = owner.shares(files, alice.keys)
        const folder = stage.folder("names")
        const answer = (await fetch(alice, bob, entries, folder, 40_000)) as Saved
        for (const [index, { content, file }] of files.entries()) {
          const path = answer.saved?.find(({ entry }) => entry === entries[index])?.path
          holds(path !== undefined, `the file ${JSON.stringify(file.name)} was not saved`, answer)
          const fault = faultOf(path!)
          holds(fault === undefined, `${JSON.stringify(file.name)} was saved as ${JSON.stringify(path)}: ${fault}`)
          const found = filesIn(folder).get(path!)
          holds(found !== undefined && Buffer.compare(found, content) === 0, "another file has this path", path)
        }
        equals([...filesIn(stage.folder("."))].length, files.length, "how many files there are around the folder")
      }
    },
    {
      id: "names-that-become-one",
      requirements: ["KEZ-FIL-033"],
      why: "files whose names differ by what no name may have, and one that is there: each is saved under another name",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const owner = await PeerDevice.open(world, bob)
        const files = ["plan.txt", "pl\u{202e}an.txt", "\u{200f}plan.txt", "-x", "\u{202e}-x"].map((name) =>
          ownFile(bob.keys, name, randomBytes(100))
        )
        const entries = owner.shares(files, alice.keys)
        const folder = stage.folder("one-name")
        writeFileSync(`${folder}/plan.txt`, "mine")
        const answer = (await fetch(alice, bob, entries, folder, 40_000)) as Saved
        const found = filesIn(folder)
        for (const [index, { content }] of files.entries()) {
          const path = answer.saved?.find(({ entry }) => entry === entries[index])?.path ?? ""
          holds(
            Buffer.compare(found.get(path) ?? new Uint8Array(0), content) === 0,
            "a file is not where it is said to be",
            answer
          )
        }
        equals(Buffer.from(found.get("plan.txt")!).toString(), "mine", "the file that was there before")
      }
    }
  ].map((one) => ({ ...one, profile: "transfer" as const }))
)
