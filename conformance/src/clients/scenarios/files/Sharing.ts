/** The owner's side of manifests: what is in a list, when it is published, and when the chain names it. */
import { NotChecked } from "../../../servers/Outcome.ts"
import { fromHex, utf8 } from "../../crypto/Bytes.ts"
import { ticketOf } from "../../crypto/Manifests.ts"
import { timeOf } from "../../crypto/Messages.ts"
import { equals, holds, pause, until } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { problem, type Reply } from "../../world/HttpHost.ts"
import type { World } from "../../world/World.ts"
import {
  anchors,
  filesFor,
  lists,
  names,
  namesFor,
  perDay,
  post,
  publication,
  publishes,
  put,
  share,
  Device
} from "./Owner.ts"

const today = () => timeOf(Date.now()).slice(0, 10)

/** The home stores no list, and answers with this. The end of it. */
const takesNone = ({ home }: World, reply: Reply): (() => void) => {
  const { putManifest } = home
  home.putManifest = (_, bytes, revision) => ({ bytes, hash: "", revision })
  const restore = home.http.when(put, () => reply)
  return () => {
    home.putManifest = putManifest
    restore()
  }
}

export const sharing = group(
  "sharing",
  [
    {
      id: "readers",
      requirements: ["KEZ-MAN-001", "KEZ-MAN-003", "KEZ-MAN-004", "KEZ-MAN-005", "KEZ-FIL-008"],
      why: "a shared file is in the list, sealed to its readers and the owner, and a public one is for everybody",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const carol = world.person("carol")
        await alice.add(carol.handle)
        await share(alice, "for bob.txt", [bob], utf8("hello bob"))
        await share(alice, "for all.txt")
        const list = await publishes(world, alice, ["for all.txt", "for bob.txt"])
        equals(lists(world, alice)[0]!.payload["anchored"], undefined, "the anchor that the first list names")
        equals(namesFor(bob.keys, alice, list), ["for all.txt", "for bob.txt"], "the files for a reader")
        equals(namesFor(carol.keys, alice, list), ["for all.txt"], "the files for somebody else")
        const sealed = list!.entries.filter((entry) => "keys" in entry)
        equals(
          sealed.map(({ keys }) => keys.length),
          [2],
          "how many keys the sealed entry has"
        )
        const [file] = filesFor(bob.keys, alice, list).filter(({ name }) => name === "for bob.txt")
        const blob = fromHex(file!.blob_hash.replace("blake3:", ""))
        equals([file!.size, file!.ticket], [9, ticketOf(alice.keys, blob)], "size and ticket of the file")
      }
    },
    {
      id: "fresh-keys",
      requirements: ["KEZ-FIL-001", "KEZ-MAN-004"],
      why: "the same bytes are shared twice, and others under the same name: each has a content key of its own",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        await share(alice, "a.txt", [bob], utf8("the same"))
        await share(alice, "b.txt", [bob], utf8("the same"))
        await share(alice, "b.txt", [bob], utf8("another"))
        const list = await publishes(world, alice, ["a.txt", "b.txt", "b.txt"])
        const files = filesFor(bob.keys, alice, list)
        equals(new Set(files.map(({ content_key }) => content_key)).size, 3, "how many content keys three files have")
        equals(new Set(files.map(({ blob_hash }) => blob_hash)).size, 3, "how many blobs three files have")
        const keys = list!.entries.flatMap((entry) => ("keys" in entry ? entry.keys : []))
        equals(new Set(keys.map(({ enc }) => enc)).size, keys.length, "how many ephemeral keys the entries have")
      }
    },
    {
      id: "later-version",
      requirements: ["KEZ-MAN-041"],
      why: "a file is shared again under its name at once: the newer entry says a later time, in whole seconds",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const times: Array<string> = []
        for (let count = 1; count <= 3; count++) {
          await share(alice, "plan.txt", [bob], utf8("x".repeat(count)))
          const list = await publishes(
            world,
            alice,
            Array.from({ length: count }, () => "plan.txt")
          )
          times.push(filesFor(bob.keys, alice, list).find(({ size }) => size === count)!.shared_at)
        }
        equals(times, [...new Set(times)].toSorted(), "when the versions of a file were shared")
      }
    },
    {
      id: "stored-first",
      requirements: ["KEZ-MAN-012", "KEZ-MAN-022"],
      why: "the chain names a list only when readers can fetch it",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const early: Array<string> = []
        world.sig.http.when(post, (usual) => {
          const named = anchors(world, alice).at(-1)?.manifest
          if (named !== undefined && !lists(world, alice).some(({ hash }) => hash === named)) early.push(named)
          return usual
        })
        await share(alice, "plan.txt", [bob])
        const list = await names(world, alice, ["plan.txt"])
        equals(early, [], "what the chain named before the home had it")
        const [anchor] = anchors(world, alice)
        equals(
          { size: anchor!.size, revision: anchor!.revision },
          { size: list!.bytes.length, revision: list!.revision },
          "size and revision of the anchor"
        )
      }
    },
    {
      id: "refused-by-home",
      requirements: ["KEZ-MAN-012"],
      why: "the home does not store the list: the chain does not name it before it does",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const restore = takesNone(world, problem(503, "unavailable"))
        await share(alice, "plan.txt", [bob])
        await alice.sync()
        await pause(500)
        equals(anchors(world, alice), [], "the lists that the chain names meanwhile")
        restore()
        await until(
          async () => {
            await alice.sync()
            return anchors(world, alice).length
          },
          (count) => count > 0,
          "the list is not published once the home takes it",
          20_000
        )
      }
    },
    {
      id: "together",
      requirements: ["KEZ-MAN-023"],
      why: "what is shared at one time comes in one list, and the next list follows ten seconds later",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const stored = () => world.home.http.of(put).length
        await share(alice, "a.txt", [bob])
        if (stored() > 0)
          throw new NotChecked("not-applicable", "whoever shares a file waits until the list is published")
        for (const name of ["b.txt", "c.txt"]) await share(alice, name, [bob])
        await pause(3_000)
        holds(stored() <= 1, "several lists were stored in three seconds, and nobody waits for one", stored())
        await publishes(world, alice, ["a.txt", "b.txt", "c.txt"])
        const before = stored()
        holds(before <= 2, "three files that were shared together came in more than two lists", before)
        await share(alice, "d.txt", [bob])
        await pause(3_000)
        equals(stored(), before, "how many lists were stored three seconds after one, while nobody waits")
        await publishes(world, alice, ["a.txt", "b.txt", "c.txt", "d.txt"], 15_000)
      }
    },
    {
      id: "adds",
      requirements: ["KEZ-MAN-033", "KEZ-MAN-022"],
      why: "lists that only add are published, each after the anchor, and the chain names the first of the day alone",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        await share(alice, "a.txt", [bob])
        await names(world, alice, ["a.txt"])
        const [anchor] = anchors(world, alice)
        await share(alice, "b.txt", [bob])
        await publishes(world, alice, ["a.txt", "b.txt"])
        await share(alice, "c.txt", [bob])
        const list = await publishes(world, alice, ["a.txt", "b.txt", "c.txt"])
        equals(list!.payload["anchored"], anchor!.manifest, "the anchor that the list names")
        equals(anchors(world, alice).length, 1, "how many lists the chain names")
      }
    },
    {
      id: "takes-back",
      requirements: ["KEZ-MAN-027"],
      why: "a file is taken back: the chain names a list without it at once",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const plan = await share(alice, "plan.txt", [bob])
        await share(alice, "stays.txt", [bob])
        await publishes(world, alice, ["plan.txt", "stays.txt"])
        holds(anchors(world, alice).length > 0, "the chain names no list")
        await alice.does("client.unshare", { entry: plan })
        const list = await names(world, alice, ["stays.txt"])
        equals(namesFor(bob.keys, alice, list), ["stays.txt"], "what is left for the reader")
      }
    },
    {
      id: "four-a-day",
      requirements: ["KEZ-MAN-026", "KEZ-MAN-027"],
      why: "files come and go all day: the chain names four lists, the others are published without that",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        await share(alice, "stays.txt", [bob])
        await names(world, alice, ["stays.txt"])
        for (let count = 1; count <= 5; count++) {
          const entry = await share(alice, `${count}.txt`, [bob])
          await publishes(world, alice, [`${count}.txt`, "stays.txt"])
          await alice.does("client.unshare", { entry })
          await (count < perDay ? names : publishes)(world, alice, ["stays.txt"])
        }
        await alice.sync()
        const ofToday = anchors(world, alice).filter(({ createdAt }) => createdAt.startsWith(today()))
        holds(ofToday.length <= perDay, "the chain names more than four lists in a day", ofToday)
      }
    },
    {
      id: "looks-afterwards",
      requirements: ["KEZ-MAN-030"],
      why: "a device that stored a list looks at the chain afterwards, and one that anchored at the newest list",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        await share(alice, "plan.txt", [bob])
        await names(world, alice, ["plan.txt"])
        await alice.sync()
        const since = (asked: ReadonlyArray<{ readonly at: number }>, at: number) => asked.filter((one) => one.at >= at)
        const stored = world.home.http.of(put).at(-1)!.at
        const anchored = world.sig.http.of(post).at(-1)!.at
        holds(since(world.sig.http.asked, stored).length > 0, "the chain was not looked at after the list was stored")
        holds(
          since(world.home.http.of(/^GET \/v1\/manifests\//), anchored).length > 0,
          "the newest list was not looked at after it was anchored"
        )
      }
    },
    {
      id: "too-large",
      requirements: ["KEZ-MAN-032"],
      why: "the home takes no list of this size: the user learns why nobody sees the file",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        takesNone(world, problem(413, "too_large"))
        await share(alice, "plan.txt", [bob])
        await alice.sync()
        const shown = await publication(alice)
        holds(!shown.published, "it is said to be published", shown)
        holds((shown.reason ?? "") !== "", "no reason is given", shown)
      }
    },
    {
      id: "chain-full",
      requirements: ["KEZ-MAN-032"],
      why: "the chain has no room for an anchor: the user learns it, and lists are published all the same",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        new Device(world, alice).fillChain()
        const before = world.sig.chains.get(alice.keys.hex)!
        world.sig.http.when(post, () => {
          world.sig.chains.set(alice.keys.hex, before)
          return problem(413, "chain_full")
        })
        await share(alice, "a.txt", [bob])
        await publishes(world, alice, ["a.txt"], 30_000)
        await until(
          async () => {
            await alice.sync()
            return publication(alice)
          },
          ({ reason = "" }) => reason !== "",
          "no reason is given",
          30_000
        )
        await share(alice, "b.txt", [bob])
        await publishes(world, alice, ["a.txt", "b.txt"], 30_000)
        holds((await publication(alice)).published, "a list that readers find is not said to be published")
      }
    }
  ].map((one) => ({ ...one, profile: "files" as const }))
)
