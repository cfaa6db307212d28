/** Serving: what the client's device gives to whom, and what it does with requests that are wrong or too many. */
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { NotChecked } from "../../../servers/Outcome.ts"
import type { Client } from "../../Client.ts"
import { concat, fromBase64Url, u8 } from "../../crypto/Bytes.ts"
import { Blob, encryptFile, requestOf } from "../../crypto/Blobs.ts"
import { equals, holds } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import type { Link, Received } from "../../world/IrohPeer.ts"
import { filesFor, publishes, share } from "./Owner.ts"
import { PeerDevice } from "./PeerDevice.ts"

/** More than one group of the tree, and not a whole number of chunks. */
const size = 100_000
/** All chunks from the first on. */
const whole = [0]

/** Alice's device serves a file that is shared with bob, whose device is connected to it. */
const served = async (stage: Stage) => {
  const { alice, bob, world } = await stage.pair()
  const device = await PeerDevice.open(world, bob)
  const content = randomBytes(size)
  const entry = await share(alice, "plan.bin", [bob], content)
  const list = await publishes(world, alice, ["plan.bin"])
  const [file] = filesFor(bob.keys, alice, list)
  const blob = new Blob(encryptFile(fromBase64Url(file!.content_key), content))
  await alice.does("client.serve")
  const addresses = await device.addressesOf(alice)
  return { addresses, alice, blob, bob, device, entry, link: await device.dial(alice, addresses), world }
}

const refused = ({ bytes, ended }: Received, what: string): void => {
  equals({ bytes: bytes.length, ended }, { bytes: 0, ended: "reset 1" }, `the answer to ${what}`)
}

const given = (received: Received, expected: Uint8Array, what: string): void => {
  equals(received.ended, "end", `the end of the answer to ${what}`)
  equals(received.bytes.length, expected.length, `how many bytes answer ${what}`)
  holds(Buffer.compare(received.bytes, expected) === 0, `the answer to ${what} has other bytes`)
}

/** Requests that are none of chunks of one blob, in the form. */
const others = (hash: Uint8Array): Readonly<Record<string, Uint8Array>> => {
  const right = requestOf(hash, whole)
  return {
    "a request to observe": concat(u8(1), hash, u8(1), u8(0)),
    "a push": concat(u8(8), right.subarray(1)),
    "a request for many": concat(u8(9), u8(1), hash, u8(1), u8(1), u8(0)),
    "a kind that there is not": concat(u8(200), right.subarray(1)),
    "a request for listed blobs": concat(u8(0), hash, u8(1), u8(1), u8(1), u8(0)),
    "a request that is cut": right.subarray(0, 20),
    "a request with bytes after it": concat(right, u8(0)),
    "a varint that is longer than it must be": concat(u8(0), hash, Uint8Array.of(0x80, 0x00)),
    "a varint beyond 2^64": concat(u8(0), hash, new Uint8Array(11).fill(0xff)),
    nothing: new Uint8Array(0)
  }
}

/** Flips a byte of every copy of some bytes that the client keeps; how many there were. */
const spoil = (alice: Client, bytes: Uint8Array): number => {
  let count = 0
  for (const entry of readdirSync(alice.store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const content = readFileSync(path)
    const at = content.indexOf(bytes)
    if (at < 0) continue
    content[at]! ^= 1
    writeFileSync(path, content)
    count++
  }
  return count
}

export const serving = group(
  "serving",
  [
    {
      id: "chunks",
      requirements: ["KEZ-FIL-020", "KEZ-FIL-015"],
      why: "a reader asks for all of a blob, some of its chunks, the last one and none: each answer is that of the tree",
      run: async (stage: Stage) => {
        const { blob, link } = await served(stage)
        for (const boundaries of [whole, [0, 98], [0, 1], [16, 32], [3, 5, 40, 41], [97], [1_000_000]]) {
          given(
            await link.ask(requestOf(blob.hash, boundaries)),
            blob.answer(boundaries),
            `chunks ${boundaries.join()}`
          )
        }
        given(await link.ask(requestOf(blob.hash, [])), new Uint8Array(0), "a request for none of the chunks")
      }
    },
    {
      id: "other-peers",
      requirements: ["KEZ-FIL-021", "KEZ-FIL-022"],
      why: "a contact with whom the file is not shared, and a stranger, ask for it: it looks as if it were not there",
      run: async (stage: Stage) => {
        const { addresses, alice, blob, link, world } = await served(stage)
        const carol = world.person("carol")
        await alice.add(carol.handle)
        for (const person of [carol, world.stranger("mallory")]) {
          const device = await PeerDevice.open(world, person)
          let answer: Received
          try {
            answer = await (await device.dial(alice, addresses)).ask(requestOf(blob.hash, whole))
          } catch {
            // Whoever may have nothing need not be heard.
            continue
          }
          if (answer.ended === "lost") equals(answer.bytes.length, 0, "how many bytes a peer got who may have nothing")
          else refused(answer, `a request of ${person.local}`)
        }
        refused(await link.ask(requestOf(randomBytes(32), whole)), "a request for a blob that is not there")
        given(await link.ask(requestOf(blob.hash, whole)), blob.answer(whole), "a request of a reader")
      }
    },
    {
      id: "taken-back",
      requirements: ["KEZ-FIL-021"],
      why: "a share ends while its reader is connected: the next request on that connection is refused",
      run: async (stage: Stage) => {
        const { alice, blob, entry, link } = await served(stage)
        given(await link.ask(requestOf(blob.hash, whole)), blob.answer(whole), "a request of a reader")
        await alice.does("client.unshare", { entry })
        refused(await link.ask(requestOf(blob.hash, whole)), "a request after the share has ended")
      }
    },
    {
      id: "blocked",
      requirements: ["KEZ-FIL-021"],
      why: "a reader is blocked while connected: the next request on that connection is refused, until the block ends",
      run: async (stage: Stage) => {
        const { alice, blob, bob, link } = await served(stage)
        given(await link.ask(requestOf(blob.hash, whole)), blob.answer(whole), "a request of a reader")
        await alice.does("client.block", { who: bob.handle })
        const { bytes, ended } = await link.ask(requestOf(blob.hash, whole))
        holds(bytes.length === 0 && ["reset 1", "lost"].includes(ended), "a blocked reader is answered", ended)
      }
    },
    {
      id: "other-requests",
      requirements: ["KEZ-FIL-022"],
      why: "requests of other kinds, for listed blobs, and in no form at all are refused, and the next one is answered",
      run: async (stage: Stage) => {
        const { blob, link } = await served(stage)
        for (const [what, request] of Object.entries(others(blob.hash))) refused(await link.ask(request), what)
        given(await link.ask(requestOf(blob.hash, whole)), blob.answer(whole), "a request of a reader")
      }
    },
    {
      id: "unfinished",
      requirements: ["KEZ-FIL-024"],
      why: "a request is begun and never ended: it is ended from the other side, and others are answered meanwhile",
      run: async (stage: Stage) => {
        const { addresses, alice, blob, device, link } = await served(stage)
        const begun = link.ask(requestOf(blob.hash, whole).subarray(0, 10), { isUnfinished: true, millis: 40_000 })
        const other = await device.dial(alice, addresses)
        given(
          await other.ask(requestOf(blob.hash, whole)),
          blob.answer(whole),
          "a request beside one that does not end"
        )
        const { bytes, ended } = await begun
        equals(bytes.length, 0, "how many bytes answer a request that is not whole")
        holds(["reset 2", "lost"].includes(ended), "a request that takes more than 40 s is not ended", ended)
      }
    },
    {
      id: "too-many",
      requirements: ["KEZ-FIL-024"],
      why: "a peer opens 64 connections, with a request on each that does not end: some are closed or refused",
      run: async (stage: Stage) => {
        const { addresses, alice, blob, device } = await served(stage)
        const links: Array<Link> = []
        const begun: Array<Promise<Received>> = []
        for (let count = 0; count < 64; count++) {
          const link = await device.dial(alice, addresses).catch(() => undefined)
          if (link === undefined) break
          links.push(link)
          begun.push(link.ask(requestOf(blob.hash, whole).subarray(0, 10), { isUnfinished: true, millis: 3_000 }))
        }
        const answers = await Promise.all(begun)
        const open = answers.filter(({ ended }) => ended === "silent").length
        holds(open < 64, "64 connections of one peer, with a request on each, are kept", open)
        for (const link of links) link.close()
      }
    },
    {
      id: "wrong-copy",
      requirements: ["KEZ-FIL-016"],
      why: "the client's own copy of a blob has changed on the disk: the answer ends before the first wrong byte",
      run: async (stage: Stage) => {
        const { alice, blob, device } = await served(stage)
        await alice.close()
        // In the fourth group.
        const [start, end] = [50_000, 50_064]
        if (spoil(alice, blob.bytes.subarray(start, end)) === 0)
          throw new NotChecked("not-applicable", "the client's folder has no copy of the blob that could be changed")
        await alice.open()
        await alice.does("client.serve")
        const link = await device.dial(alice, await device.addressesOf(alice))
        const { bytes, ended } = await link.ask(requestOf(blob.hash, whole))
        const right = blob.answer(whole)
        holds(ended !== "end" && ended !== "silent", "the answer ends as a whole one would", ended)
        const isPrefix = Buffer.compare(bytes, right.subarray(0, bytes.length)) === 0
        holds(isPrefix && bytes.length < right.length, "bytes were sent that are not of the blob", bytes.length)
      }
    }
  ].map((one) => ({ ...one, profile: "transfer" as const }))
)
