/** Manifests that lie, are old, broken or endless, and the anchors of their owner's chain. */
import { gzipSync } from "node:zlib"
import { randomBytes } from "node:crypto"
import type { Envelope } from "../../../servers/Signing.ts"
import { canonical } from "../../crypto/Canonical.ts"
import { utf8 } from "../../crypto/Bytes.ts"
import { bytesOf, fileOf, sealEntry, signManifest } from "../../crypto/Manifests.ts"
import { timeOf } from "../../crypto/Messages.ts"
import { type Client, isRefused, type Refused } from "../../Client.ts"
import { equals, holds } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { problem } from "../../world/HttpHost.ts"
import type { Person } from "../../world/Person.ts"
import type { World } from "../../world/World.ts"

interface Listing {
  readonly revision: number
  readonly entries: ReadonlyArray<{ readonly id: string; readonly name: string; readonly public: boolean }>
}

const browse = (alice: Client, bob: Person) => alice.tries<Listing>("client.manifest", { who: bob.handle })

/** The names that are shown. */
const namesOf = (listing: Listing | Refused): ReadonlyArray<string> => {
  holds(!isRefused(listing), "client.manifest was refused; it must succeed", listing)
  return (listing as Listing).entries.map(({ name }) => name).toSorted()
}

const entryFor = (bob: Person, alice: Client, name: string, change = {}) =>
  sealEntry(bob.keys, [bob.keys, alice.keys], fileOf(bob.keys, name, change))

/** Stores a manifest at the home, as its owner would. */
const publish = (world: World, bob: Person, manifest: Envelope) =>
  world.home.putManifest(bob.keys.hex, bytesOf(manifest), Number(manifest.payload["revision"]))

const anchor = (bob: Person, manifest: Envelope, hash: string, change = {}) =>
  bob.append("set_shared_files", {
    manifest: hash,
    size: bytesOf(manifest).length,
    revision: manifest.payload["revision"],
    ...change
  })

/** Bob has published and anchored a manifest with one file for alice. */
const shared = async (stage: Stage, revision = 3) => {
  const { alice, bob, world } = await stage.pair()
  const entry = entryFor(bob, alice, "plan.txt")
  const manifest = signManifest(bob.keys, revision, [entry])
  const { hash } = publish(world, bob, manifest)
  anchor(bob, manifest, hash)
  return { alice, bob, entry, hash, manifest, world }
}

/** What stands in the place of the newest manifest, beside the anchored one. Only the anchored one may be shown. */
const lies: ReadonlyArray<{
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  readonly manifest: (parts: {
    readonly alice: Client
    readonly bob: Person
    readonly mallory: Person
    readonly hash: string
  }) => Envelope
}> = [
  {
    id: "forged",
    requirements: ["KEZ-MAN-010", "KEZ-SIG-011"],
    why: "a manifest in bob's name under a signature over something else",
    manifest: ({ alice, bob, hash }) => ({
      ...signManifest(bob.keys, 4, [entryFor(bob, alice, "evil.txt")], { anchored: hash }),
      signature: signManifest(bob.keys, 5, []).signature
    })
  },
  {
    id: "of-another",
    requirements: ["KEZ-MAN-010"],
    why: "a manifest of another owner",
    manifest: ({ alice, hash, mallory }) =>
      signManifest(mallory.keys, 4, [entryFor(mallory, alice, "evil.txt")], { anchored: hash })
  },
  {
    id: "without-anchor",
    requirements: ["KEZ-MAN-010", "KEZ-MAN-024", "KEZ-MAN-025"],
    why: "a higher revision that follows no anchor, as an old one would",
    manifest: ({ alice, bob }) => signManifest(bob.keys, 9, [entryFor(bob, alice, "evil.txt")])
  },
  {
    id: "other-anchor",
    requirements: ["KEZ-MAN-024", "KEZ-MAN-025"],
    why: "a higher revision that follows another anchor",
    manifest: ({ alice, bob }) =>
      signManifest(bob.keys, 9, [entryFor(bob, alice, "evil.txt")], { anchored: `blake3:${"0".repeat(64)}` })
  },
  {
    id: "lower-than-anchor",
    requirements: ["KEZ-MAN-024"],
    why: "a revision below the anchor's, though it names it",
    manifest: ({ alice, bob, hash }) =>
      signManifest(bob.keys, 2, [entryFor(bob, alice, "evil.txt")], { anchored: hash })
  }
]

export const manifests = group(
  "manifests",
  [
    {
      id: "shown",
      requirements: ["KEZ-MAN-007", "KEZ-MAN-004"],
      why: "the entries for this reader are shown, sealed and public, and those for others are not",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const carol = world.person("carol")
        const manifest = signManifest(bob.keys, 1, [
          entryFor(bob, alice, "for alice.txt"),
          sealEntry(bob.keys, [bob.keys, carol.keys], fileOf(bob.keys, "for carol.txt")),
          { id: "AAAAAAAAAAAAAAAAAAAAAA", public: fileOf(bob.keys, "for all.txt") }
        ])
        publish(world, bob, manifest)
        equals(namesOf(await browse(alice, bob)), ["for alice.txt", "for all.txt"], "the files that are shown")
      }
    },
    {
      id: "nothing",
      requirements: ["KEZ-MAN-010"],
      why: "an owner who never published shares nothing",
      run: async (stage: Stage) => {
        const { alice, bob } = await stage.pair()
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(listing.entries, [], "the files that are shown")
      }
    },
    {
      id: "follows-anchor",
      requirements: ["KEZ-MAN-024", "KEZ-MAN-022"],
      why: "a higher revision that names the anchor is current",
      run: async (stage: Stage) => {
        const { alice, bob, entry, hash, world } = await shared(stage)
        publish(world, bob, signManifest(bob.keys, 4, [entry, entryFor(bob, alice, "new.txt")], { anchored: hash }))
        equals(namesOf(await browse(alice, bob)), ["new.txt", "plan.txt"], "the files that are shown")
      }
    },
    ...lies.map(({ id, manifest, requirements, why }) => ({
      id,
      requirements,
      why: `${why}: nothing of it is shown`,
      run: async (stage: Stage) => {
        const { alice, bob, hash, world } = await shared(stage)
        publish(world, bob, manifest({ alice, bob, hash, mallory: world.person("mallory") }))
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(namesOf(listing), ["plan.txt"], "the files that are shown")
      }
    })),
    {
      id: "anchor-by-hash",
      requirements: ["KEZ-MAN-025"],
      why: "the newest manifest does not hold against the chain: the anchored one is asked for by its hash, and shown",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await shared(stage)
        publish(world, bob, signManifest(bob.keys, 9, [entryFor(bob, alice, "evil.txt")]))
        equals(namesOf(await browse(alice, bob)), ["plan.txt"], "the files that are shown")
      }
    },
    {
      id: "anchor-of-other-bytes",
      requirements: ["KEZ-MAN-025"],
      why: "asked for the anchor by its hash, the home answers other bytes, signed by the owner: nothing of them is shown",
      run: async (stage: Stage) => {
        const { alice, bob, hash, world } = await shared(stage)
        const other = bytesOf(signManifest(bob.keys, 3, [entryFor(bob, alice, "evil.txt")], { anchored: hash }))
        world.home.http.when(/^GET \/v1\/manifests\//, () => ({ status: 200, body: other }))
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(listing.entries, [], "the files that are shown")
      }
    },
    {
      id: "rollback",
      requirements: ["KEZ-MAN-011", "KEZ-MAN-029"],
      why: "the home shows an older manifest that follows the same anchor, after a kill: the newer one stays",
      run: async (stage: Stage) => {
        const { alice, bob, entry, hash, world } = await shared(stage)
        const { bytes } = publish(
          world,
          bob,
          signManifest(bob.keys, 4, [entry, entryFor(bob, alice, "old.txt")], { anchored: hash })
        )
        publish(world, bob, signManifest(bob.keys, 5, [entry], { anchored: hash }))
        equals(namesOf(await browse(alice, bob)), ["plan.txt"], "the files that are shown")
        await stage.kill()
        world.home.http.when(/^GET \/v1\/manifests\//, () => ({ status: 200, body: bytes }))
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(namesOf(listing), ["plan.txt"], "the files that are shown afterwards")
        else equals(listing.code, "manifest_rollback", "the code of the refusal")
      }
    },
    {
      id: "conflict",
      requirements: ["KEZ-MAN-011"],
      why: "the home shows another manifest of the revision that was seen",
      run: async (stage: Stage) => {
        const { alice, bob, entry, hash, world } = await shared(stage)
        publish(world, bob, signManifest(bob.keys, 4, [entry], { anchored: hash }))
        await browse(alice, bob)
        const other = bytesOf(signManifest(bob.keys, 4, [entry, entryFor(bob, alice, "evil.txt")], { anchored: hash }))
        world.home.http.when(/^GET \/v1\/manifests\//, () => ({ status: 200, body: other }))
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(namesOf(listing), ["plan.txt"], "the files that are shown")
      }
    },
    {
      id: "taken-back",
      requirements: ["KEZ-MAN-024", "KEZ-MAN-010"],
      why: "a new anchor without an entry ends it, whatever the home shows",
      run: async (stage: Stage) => {
        const { alice, bob, entry, hash, world } = await shared(stage)
        const before = publish(world, bob, signManifest(bob.keys, 4, [entry], { anchored: hash }))
        equals(namesOf(await browse(alice, bob)), ["plan.txt"], "the files that are shown")
        const without = signManifest(bob.keys, 5, [], { anchored: hash })
        const stored = publish(world, bob, without)
        anchor(bob, without, stored.hash)
        world.home.manifests.set(bob.keys.hex, [stored, before])
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(listing.entries, [], "the files that are shown after the entry was taken back")
      }
    },
    {
      id: "unavailable",
      requirements: ["KEZ-MAN-029"],
      why: "the home cannot be asked: what was seen is shown, also after a kill, or the refusal says so",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await shared(stage)
        await browse(alice, bob)
        await stage.kill()
        world.home.http.when(/^GET \/v1\/manifests\//, () => problem(503, "unavailable"))
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(namesOf(listing), ["plan.txt"], "the files that are shown")
      }
    },
    {
      id: "broken-entries",
      requirements: ["KEZ-MAN-008", "KEZ-FIL-008"],
      why: "entries that do not hold up are not shown as files, and the rest of the manifest stays",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const mallory = world.person("mallory")
        const good = entryFor(bob, alice, "good.txt")
        const sealed = entryFor(bob, alice, "sealed badly.txt")
        const changes = [
          { name: "" },
          { name: "a/b" },
          { name: ".." },
          { size: -1 },
          { blob_hash: "blake3:00" },
          { content_key: "AAAA" }
        ]
        const entries = [
          good,
          ...changes.map((change) => entryFor(bob, alice, "broken.txt", change)),
          entryFor(bob, alice, "foreign ticket.txt", { ticket: fileOf(mallory.keys, "x").ticket }),
          { ...sealed, sealed: entryFor(bob, alice, "other.txt").sealed },
          { ...entryFor(bob, alice, "moved.txt"), id: "AAAAAAAAAAAAAAAAAAAAAA" },
          { id: "BBBBBBBBBBBBBBBBBBBBBA", public: fileOf(bob.keys, "public.txt", { shared_at: "soon" }) }
        ]
        publish(world, bob, signManifest(bob.keys, 1, entries))
        equals(namesOf(await browse(alice, bob)), ["good.txt"], "the files that are shown")
      }
    },
    {
      id: "same-path",
      requirements: ["KEZ-MAN-040"],
      why: "of two entries of one path the one shared later is shown",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const at = (seconds: number) => ({ shared_at: timeOf(Date.now() + seconds * 1_000), folder: "work" })
        const old = entryFor(bob, alice, "plan.txt", { ...at(-100), size: 1 })
        const later = entryFor(bob, alice, "plan.txt", { ...at(-50), size: 2 })
        publish(world, bob, signManifest(bob.keys, 1, [later, old]))
        const listing = (await browse(alice, bob)) as Listing
        equals(
          listing.entries.map(({ id }) => id),
          [later.id],
          "the entries that are shown"
        )
      }
    },
    {
      id: "colliding-hints",
      requirements: ["KEZ-MAN-007"],
      why: "keys of others with the reader's hint do not keep it from its own",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const entry = entryFor(bob, alice, "plan.txt")
        const decoys = entry.keys.flatMap(({ hint }) =>
          Array.from({ length: 20 }, () => ({
            hint,
            enc: sealEntry(bob.keys, [bob.keys], {}).keys[0]!.enc,
            ct: randomBytes(48).toString("base64url")
          }))
        )
        publish(world, bob, signManifest(bob.keys, 1, [{ ...entry, keys: [...decoys, ...entry.keys] }]))
        equals(namesOf(await browse(alice, bob)), ["plan.txt"], "the files that are shown")
      }
    },
    {
      id: "anchor-without-revision",
      requirements: ["KEZ-MAN-031", "KEZ-SIG-141"],
      why: "an anchor from before revisions were named still names its manifest",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const manifest = signManifest(bob.keys, 3, [entryFor(bob, alice, "plan.txt")])
        anchor(bob, manifest, publish(world, bob, manifest).hash, { revision: undefined })
        equals(namesOf(await browse(alice, bob)), ["plan.txt"], "the files that are shown")
      }
    },
    ...Object.entries({
      text: () => utf8("hello"),
      "twice-id": (bob: Person, alice: Client) => {
        const entry = entryFor(bob, alice, "evil.txt")
        return bytesOf(signManifest(bob.keys, 1, [entry, entry]))
      },
      "not-canonical": (bob: Person, alice: Client) =>
        utf8(`${canonical(signManifest(bob.keys, 1, [entryFor(bob, alice, "evil.txt")]))}\n`),
      "no-keys": (bob: Person, alice: Client) =>
        bytesOf(signManifest(bob.keys, 1, [{ ...entryFor(bob, alice, "evil.txt"), keys: [] }])),
      "other-kind": (bob: Person) => bytesOf(bob.registration()),
      "too-large": (bob: Person, alice: Client) =>
        bytesOf(signManifest(bob.keys, 1, [entryFor(bob, alice, "evil.txt")], { pad: "x".repeat(1_048_576) }))
    }).map(([id, bytes]) => ({
      id: `malformed-${id}`,
      requirements: ["KEZ-MAN-001", "KEZ-MAN-003"],
      why: "a manifest of another form is refused as a whole",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        world.home.putManifest(bob.keys.hex, bytes(bob, alice), 1)
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(listing.entries, [], "the files that are shown")
      }
    })),
    {
      id: "bomb",
      requirements: ["KEZ-CAN-015", "KEZ-MAN-003"],
      why: "a manifest that unpacks to 512 MiB is cut off, and the client goes on",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await shared(stage)
        const member = gzipSync(Buffer.alloc(8 * 1_048_576, 32))
        const body = Buffer.concat(Array.from({ length: 64 }, () => member))
        const restore = world.home.http.when(/^GET \/v1\/manifests\//, () => ({
          status: 200,
          headers: { "content-encoding": "gzip" },
          body
        }))
        const listing = await browse(alice, bob)
        if (!isRefused(listing)) equals(listing.entries, [], "the files that are shown")
        restore()
        equals(namesOf(await browse(alice, bob)), ["plan.txt"], "the files that are shown afterwards")
      }
    }
  ].map((one) => ({ ...one, profile: "files" as const }))
)
