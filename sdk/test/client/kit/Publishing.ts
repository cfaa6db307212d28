/** What tests of manifests have in common: files to share, and what a device that does as it likes would sign. */
import { Effect, Redacted, Result } from "effect"
import type { FileSource, Listing } from "@kez-chat/sdk"
import { FastBlake3, type Identity, SealedManifest } from "@kez-chat/sdk/crypto"
import { Bytes, Envelope, Manifest, Sigchain, Ticket } from "@kez-chat/sdk/protocol"
import { createHash } from "node:crypto"
import type { Program, World } from "./People.ts"

export const file = (name: string, text = name, more: Partial<FileSource> = {}): FileSource => ({
  name,
  bytes: (async function* () {
    yield Bytes.utf8(text)
  })(),
  ...more
})

export const namesIn = (listing: Listing) => listing.files.map(({ name }) => name).sort()
export const published = (program: Program, id: string) =>
  program.event("Shared", ({ share }) => share.id === id && share.manifest === "published")

export const operations = (world: World, primary: string) =>
  world.home.chains.get(primary)!.map((event) => Result.getOrThrow(Sigchain.parseEvent(event)).op)

export const anchorIn = (world: World, primary: string) => {
  const events = world.home.chains.get(primary)!.map((event) => Result.getOrThrow(Sigchain.parseEvent(event)))
  return events.findLast(({ op }) => op === "set_shared_files")?.payload as Sigchain.SharedFiles | undefined
}

/** Signs what the account would sign, wherever it leads: a device of theirs that does as it likes. */
export const appendTo = (world: World, identity: Identity.Identity, payload: Sigchain.SharedFiles) =>
  append(world, identity, { op: "set_shared_files", payload })

export const append = (
  world: World,
  identity: Identity.Identity,
  operation: Parameters<Identity.Identity["signSigchainEvent"]>[0]["operation"]
) =>
  Effect.gen(function* () {
    const chain = world.home.chains.get(identity.primary)!
    const last = chain.at(-1)!
    const hash = `sha256:${createHash("sha256").update(Envelope.encode(last)).digest("hex")}`
    const event = yield* identity.signSigchainEvent({
      after: { seq: chain.length - 1, hash },
      operation,
      createdAt: Date.now()
    })
    world.home.chains.set(identity.primary, [...chain, event])
  })

export const entryOf = (owner: Identity.Identity, name: string, readers: ReadonlyArray<Identity.Identity> = []) =>
  Effect.gen(function* () {
    const hash = new Uint8Array(32).fill(name.length)
    const shared: Manifest.SharedFile = {
      name,
      mediaType: "text/plain",
      size: 1,
      sharedAt: 0,
      blobHash: `blake3:${Bytes.toHex(hash)}`,
      ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash }),
      contentKey: Redacted.make(new Uint8Array(32))
    }
    const id = yield* SealedManifest.makeId
    return yield* SealedManifest.sealEntry(
      owner,
      id,
      shared,
      readers.map(({ key }) => key)
    )
  })

/** Stores a manifest that an account signs by itself. */
export const storeAs = (
  world: World,
  owner: Identity.Identity,
  revision: number,
  entries: ReadonlyArray<Manifest.Entry>,
  anchored?: string
) =>
  Effect.gen(function* () {
    const manifest = { revision, ...(anchored === undefined ? {} : { anchored }), createdAt: 0, entries }
    const signed = yield* SealedManifest.sign(owner, manifest, yield* FastBlake3.load)
    world.home.manifests.set(owner.primary, [...(world.home.manifests.get(owner.primary) ?? []), signed.body])
    return signed
  })

/** The same, and has the chain name it. */
export const publishAs = (...args: Parameters<typeof storeAs>) =>
  Effect.tap(storeAs(...args), ({ anchor }) => appendTo(args[0], args[1], anchor))
