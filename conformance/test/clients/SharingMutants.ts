/** Clients that are wrong in what they publish of the files that they share. */
import { mnemonicToEntropy } from "@scure/bip39"
import { wordlist } from "@scure/bip39/wordlists/english.js"
import { Keys, Reader } from "../../src/clients/crypto/Keys.ts"
import {
  bytesOf,
  type Entry,
  fileOf,
  openEntry,
  sealEntry,
  type SharedFile,
  signManifest
} from "../../src/clients/crypto/Manifests.ts"
import { Device } from "../../src/clients/scenarios/files/Owner.ts"
import type { Stored } from "../../src/clients/world/HomeServer.ts"
import type { World } from "../../src/clients/world/World.ts"
import { all, everybody, manyfold } from "./Alterations.ts"
import type { ClientMutant } from "./MutantDriver.ts"

/** The keys of the client in a world, once it was opened. */
const keysIn = new WeakMap<World, Keys>()

const learn: NonNullable<ClientMutant["answer"]> = (answered, operation, { words }, world) => {
  if (operation === "client.open") keysIn.set(world, new Keys(mnemonicToEntropy(String(words), wordlist)))
  return answered
}

const owner = (world: World) => ({ local: "alice", keys: keysIn.get(world)! })

/** Publishes other entries than the client made, signed by its key. */
const entries = (
  change: (entry: Entry, keys: Keys, world: World) => Entry | undefined
): Omit<ClientMutant, "name" | "kills"> => ({
  answer: learn,
  world: (world) => {
    const put = world.home.putManifest.bind(world.home)
    world.home.putManifest = (account, bytes, revision) => {
      const { keys } = owner(world)
      const { payload } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
        readonly payload: object & { readonly entries: ReadonlyArray<Entry> }
      }
      const changed = payload.entries.flatMap((entry) => change(entry, keys, world) ?? [])
      return put(account, bytesOf(keys.sign("shared_files", { ...payload, entries: changed })), revision)
    }
  }
})

/** Publishes other descriptions of the files. */
const files = (change: (file: SharedFile) => SharedFile) =>
  entries((entry, keys, world) => {
    const file = openEntry(keys, keys, entry)
    if (file === undefined || !("keys" in entry)) return entry
    const readers = everybody(world).map((hex) => Reader.of(`ed25519:${hex}`))
    return sealEntry(keys, [keys, ...readers], change(file), entry.id)
  })

type SealedEntry = Extract<Entry, { readonly sealed: string }>

/** Whether a key of an entry is its owner's. */
const isOwn = (entry: SealedEntry, key: SealedEntry["keys"][number], keys: Keys) =>
  openEntry(keys, keys, { ...entry, keys: [key] }) !== undefined

const onStored = (then: (world: World, stored: Stored) => void): Omit<ClientMutant, "name" | "kills"> => ({
  answer: learn,
  world: (world) => {
    const put = world.home.putManifest.bind(world.home)
    world.home.putManifest = (...args) => {
      const stored = put(...args)
      then(world, stored)
      return stored
    }
  }
})

export const sharingMutants: ReadonlyArray<ClientMutant> = [
  {
    name: "is no reader of what it shares",
    kills: all("sharing", "readers"),
    ...entries((entry, keys) =>
      "keys" in entry ? { ...entry, keys: entry.keys.filter((key) => !isOwn(entry, key, keys)) } : entry
    )
  },
  {
    name: "seals what it shares to itself alone",
    kills: all("sharing", "readers", "fresh-keys"),
    ...entries((entry, keys) =>
      "keys" in entry ? { ...entry, keys: entry.keys.filter((key) => isOwn(entry, key, keys)) } : entry
    )
  },
  {
    name: "has one content key for all files",
    kills: all("sharing", "fresh-keys"),
    ...files((file) => ({ ...file, content_key: "A".repeat(43) }))
  },
  {
    name: "says the same time for all versions of a file",
    kills: all("sharing", "later-version"),
    ...files((file) => ({ ...file, shared_at: "2026-01-01T00:00:00Z" }))
  },
  {
    name: "does not take over what its other devices share",
    kills: all("devices", "four-of-all-devices", "overtaken-*", "withheld"),
    ...entries((entry, keys) => (openEntry(keys, keys, entry)?.name === "other.txt" ? undefined : entry))
  },
  {
    name: "names a list before the home has it",
    kills: all("sharing", "stored-first"),
    world: ({ home }) => {
      const put = home.putManifest.bind(home)
      home.putManifest = (...args) => {
        const before = home.manifests.get(args[0]) ?? []
        const stored = put(...args)
        home.manifests.set(args[0], before)
        setTimeout(() => home.manifests.set(args[0], [...before, stored]), 1_000)
        return stored
      }
    }
  },
  {
    name: "names lists that the home refused",
    kills: all("sharing", "refused-by-home"),
    answer: learn,
    world: (world) => {
      world.home.http.read = (asked) => {
        if (asked.method === "PUT") {
          const hash = `blake3:${"0".repeat(64)}`
          new Device(world, owner(world)).anchor({ bytes: asked.body, hash, revision: 1 })
        }
        return asked
      }
    }
  },
  {
    name: "publishes each change several times",
    kills: all("sharing", "together"),
    world: ({ home }) => manyfold(home.http.asked)
  },
  {
    name: "anchors every list",
    kills: [...all("sharing", "adds", "four-a-day"), ...all("devices", "four-of-all-devices")],
    ...onStored((world, stored) => new Device(world, owner(world)).anchor(stored))
  },
  {
    name: "anchors its first list alone",
    kills: [...all("sharing", "takes-back"), ...all("devices", "four-of-yesterday", "next-day")],
    world: ({ sig }) => {
      const set = sig.chains.set.bind(sig.chains)
      sig.chains.set = (account, chain) =>
        chain.filter(({ payload }) => payload["op"] === "set_shared_files").length > 1
          ? sig.chains
          : set(account, chain)
    }
  },
  {
    name: "does not look around after publishing",
    kills: all("sharing", "looks-afterwards"),
    world: ({ home, sig }) => {
      for (const { http } of [home, sig]) {
        http.read = (asked) => (asked.method === "GET" ? { ...asked, at: 0 } : asked)
      }
    }
  },
  {
    name: "says that everything is published",
    kills: [...all("sharing", "too-large", "chain-full"), ...all("devices", "withheld")],
    answer: (answered, operation) => (operation === "client.publication" ? { ok: { published: true } } : answered)
  },
  {
    name: "begins a list without the one that is withheld",
    kills: all("devices", "withheld"),
    answer: (answered, operation, args, world) => {
      learn(answered, operation, args, world)
      if (operation === "client.share") {
        const { keys } = owner(world)
        const list = signManifest(keys, 9, [sealEntry(keys, [keys], fileOf(keys, "plan.txt"))])
        world.home.putManifest(keys.hex, bytesOf(list), 9)
      }
      return answered
    }
  }
]
