/** Two devices of one account that share: lists that overtake each other, anchors that both count, lists withheld. */
import type { Client } from "../../Client.ts"
import { Keys } from "../../crypto/Keys.ts"
import { fileOf, sealEntry } from "../../crypto/Manifests.ts"
import { timeOf } from "../../crypto/Messages.ts"
import { equals, holds, until } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { problem } from "../../world/HttpHost.ts"
import type { World } from "../../world/World.ts"
import {
  anchors,
  Device,
  lists,
  names,
  namesFor,
  perDay,
  post,
  publication,
  type Published,
  publishes,
  put,
  share
} from "./Owner.ts"

/** An entry that another device of the account made, for the account itself. */
const entryOf = (keys: Keys, name: string) => sealEntry(keys, [keys], fileOf(keys, name))

/** Another device has the chain name as many lists as a day allows, by members of the events; the last one's hash. */
const usedUp = (world: World, alice: Client, change: Readonly<Record<string, unknown>>): string => {
  const device = new Device(world, alice)
  const other = entryOf(alice.keys, "other.txt")
  let anchor: string | undefined
  for (let revision = 1; revision <= perDay; revision++) {
    const stored = device.store(revision, [other], anchor)
    device.anchor(stored, change)
    anchor = stored.hash
  }
  return anchor!
}

export const devices = group(
  "devices",
  [
    {
      id: "four-of-all-devices",
      requirements: ["KEZ-MAN-026"],
      why: "another device of the account has used up the anchors of the day",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const anchor = usedUp(world, alice, {})
        const entry = await share(alice, "plan.txt", [bob])
        await publishes(world, alice, ["other.txt", "plan.txt"])
        await alice.does("client.unshare", { entry })
        const list = await publishes(world, alice, ["other.txt"])
        equals(list!.payload["anchored"], anchor, "the anchor that the list names")
        await alice.sync()
        equals(anchors(world, alice).length, perDay, "how many lists the chain names")
      }
    },
    {
      id: "next-day",
      requirements: ["KEZ-MAN-027"],
      why: "a file is taken back when the anchors of the day are used up: the chain names a list without it on the next day",
      needs: "clock" as const,
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        usedUp(world, alice, {})
        const entry = await share(alice, "plan.txt", [bob])
        await publishes(world, alice, ["other.txt", "plan.txt"])
        await alice.does("client.unshare", { entry })
        await publishes(world, alice, ["other.txt"])
        await stage.later(86_400)
        await until(
          async () => {
            await alice.sync()
            return anchors(world, alice).length
          },
          (count) => count > perDay,
          "the chain names no list on the next day",
          20_000
        )
      }
    },
    {
      id: "four-of-yesterday",
      requirements: ["KEZ-MAN-027"],
      why: "the anchors of yesterday are not of today: what is taken back gets one at once",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        usedUp(world, alice, { created_at: timeOf(Date.now() - 86_400_000) })
        const entry = await share(alice, "plan.txt", [bob])
        await publishes(world, alice, ["other.txt", "plan.txt"])
        const { length } = anchors(world, alice)
        await alice.does("client.unshare", { entry })
        await names(world, alice, ["other.txt"])
        holds(anchors(world, alice).length > length, "the chain names no list since the file was taken back")
      }
    },
    {
      id: "overtaken-at-home",
      requirements: ["KEZ-MAN-030", "KEZ-MAN-016"],
      why: "another device stores a list of the same revision first: its entries are taken over, under a higher one",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const device = new Device(world, alice)
        let revision = 0
        const restore = world.home.http.when(put, (_, asked) => {
          restore()
          const { payload } = JSON.parse(asked.text) as { payload: { revision: number } }
          revision = payload.revision
          world.home.manifests.delete(alice.keys.hex)
          device.store(revision, [entryOf(alice.keys, "other.txt")])
          return problem(409, "manifest_conflict")
        })
        await share(alice, "plan.txt", [bob])
        const list = await publishes(world, alice, ["other.txt", "plan.txt"], 20_000)
        holds(list!.revision > revision, "the revision is not higher than that of the other list", list!.revision)
      }
    },
    {
      id: "overtaken-in-chain",
      requirements: ["KEZ-MAN-030"],
      why: "once a list is stored, the chain names an earlier one of another device: another list follows that",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const device = new Device(world, alice)
        const other = device.store(1, [entryOf(alice.keys, "other.txt")])
        const restore = world.home.http.when(put, (usual) => {
          restore()
          device.anchor(other)
          return usual
        })
        await share(alice, "plan.txt", [bob])
        const follows = (list: Published | undefined) =>
          list?.payload["anchored"] === other.hash || list?.hash === anchors(world, alice).at(-1)?.manifest
        const list = await until(
          async () => {
            await alice.sync()
            return lists(world, alice).at(-1)
          },
          follows,
          "no list follows the anchor of the other device",
          20_000
        )
        equals(namesFor(bob.keys, alice, list), ["plan.txt"], "the files for a reader")
        equals(namesFor(alice.keys, alice, list), ["other.txt", "plan.txt"], "the files of both devices")
      }
    },
    {
      id: "overtaken-after-anchor",
      requirements: ["KEZ-MAN-030"],
      why: "when a list has been anchored, the home has a newer one of another device, which does not follow it",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const device = new Device(world, alice)
        const restore = world.sig.http.when(post, (usual) => {
          restore()
          device.store(lists(world, alice).at(-1)!.revision + 1, [entryOf(alice.keys, "other.txt")])
          return usual
        })
        await share(alice, "plan.txt", [bob])
        const list = await publishes(world, alice, ["other.txt", "plan.txt"], 20_000)
        const [anchor] = anchors(world, alice)
        equals(list!.payload["anchored"], anchor!.manifest, "the anchor that the list names")
      }
    },
    {
      id: "withheld",
      requirements: ["KEZ-MAN-034"],
      why: "a restored device shares while the home withholds the list that the chain names: it waits, and says so",
      run: async (stage: Stage) => {
        const { world } = stage
        const bob = world.person("bob")
        const keys = new Keys()
        world.person("alice", keys)
        const alice = stage.client("alice", keys)
        const device = new Device(world, alice)
        const stored = device.store(1, [entryOf(keys, "other.txt")])
        device.anchor(stored)
        world.home.manifests.delete(keys.hex)
        await alice.open()
        await alice.add(bob.handle)
        await share(alice, "plan.txt", [bob])
        await alice.sync()
        equals(lists(world, alice).length, 0, "how many lists without the other device's files are published")
        const shown = await publication(alice)
        holds(!shown.published && (shown.reason ?? "") !== "", "the user is not told that it waits", shown)
        world.home.manifests.set(keys.hex, [stored])
        const list = await publishes(world, alice, ["other.txt", "plan.txt"], 40_000)
        equals(list!.payload["anchored"], stored.hash, "the anchor that the list names")
      }
    }
  ].map((one) => ({ ...one, profile: "files" as const }))
)
