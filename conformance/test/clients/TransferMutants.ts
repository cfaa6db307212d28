/** Clients that are wrong in how they fetch, save and serve files. */
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Saved } from "../../src/clients/scenarios/files/PeerDevice.ts"
import type { Received } from "../../src/clients/world/IrohPeer.ts"
import { all } from "./Alterations.ts"
import type { Answered, ClientMutant } from "./MutantDriver.ts"

type Args = Readonly<Record<string, unknown>>

/** Answers otherwise what came of fetching. */
const fetched = (
  change: (answered: Answered, saved: Saved["saved"], args: Args) => Answered
): Pick<ClientMutant, "answer"> => ({
  answer: (answered, operation, args) =>
    operation === "client.fetch" ? change(answered, (answered.ok as Saved | undefined)?.saved ?? [], args) : answered
})

/** Has the device of the client answer otherwise. */
const answered = (change: (received: Received) => Partial<Received>): Pick<ClientMutant, "world"> => ({
  world: (world) => {
    world.readAnswer = (received) => ({ ...received, ...change(received) })
  }
})

export const transferMutants: ReadonlyArray<ClientMutant> = [
  {
    name: "saves whatever comes",
    kills: all("fetching", "other-*", "more-bytes", "endless", "cut", "silent", "mute"),
    ...fetched((answered, saved, { entries, folder }) => {
      if (saved.length > 0) return answered
      writeFileSync(join(String(folder), "plan.bin"), "what came")
      return { ok: { saved: [{ entry: (entries as ReadonlyArray<string>)[0], path: "plan.bin" }] } }
    })
  },
  {
    name: "saves nothing",
    kills: all("fetching", "whole", "slow", "resumed", "asked-to-come-later", "hostile-names", "names-that-become-one"),
    ...fetched(() => ({ ok: { saved: [] } }))
  },
  {
    name: "asks in a form of its own",
    kills: all("fetching", "whole"),
    world: ({ devices }) => {
      devices.push = (...peers) => {
        for (const peer of peers) {
          peer.requests.push = (request) => (peer.requests[peer.requests.length] = request.subarray(1)).length
          devices[devices.length] = peer
        }
        return devices.length
      }
    }
  },
  {
    name: "takes a refusal for patience",
    kills: all("fetching", "refused-*"),
    ...fetched((answered) => (answered.error?.code === "refused" ? { ok: { saved: [] } } : answered))
  },
  {
    name: "does not come later",
    kills: all("fetching", "asked-to-come-later"),
    ...fetched(() => ({ error: { code: "refused" } }))
  },
  {
    name: "saves files under names that their owner likes",
    kills: all("fetching", "hostile-names"),
    ...fetched((_, saved, { folder }) => {
      for (const { path } of saved) renameSync(join(String(folder), path), join(String(folder), `-${path}`))
      return { ok: { saved: saved.map((one) => ({ ...one, path: `-${one.path}` })) } }
    })
  },
  {
    name: "saves one file over another",
    kills: all("fetching", "names-that-become-one"),
    ...fetched((_, saved) => ({ ok: { saved: saved.map((one) => ({ ...one, path: saved[0]!.path })) } }))
  },
  {
    name: "gives everything to everybody, always",
    kills: all("serving", "other-peers", "taken-back", "blocked", "other-requests"),
    ...answered(({ bytes, ended }) => (ended === "reset 1" ? { bytes: new Uint8Array(8), ended: "end" } : { bytes }))
  },
  {
    name: "gives other bytes",
    kills: all("serving", "chunks"),
    ...answered(({ bytes }) => ({ bytes: bytes.map((byte) => byte ^ 1) }))
  },
  {
    name: "answers a request for nothing",
    kills: all("serving", "chunks"),
    ...answered(({ bytes, ended }) => (bytes.length === 0 && ended === "end" ? { bytes: new Uint8Array(8) } : {}))
  },
  {
    name: "does not notice that its copy is wrong",
    kills: all("serving", "wrong-copy"),
    ...answered(() => ({ ended: "end" }))
  },
  {
    name: "waits for every request, however long",
    kills: all("serving", "unfinished", "too-many"),
    ...answered(({ bytes }) => (bytes.length === 0 ? { ended: "silent" } : {}))
  }
]
