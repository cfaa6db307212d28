/** What scenarios ask of a client that shares, and what they read in the lists and anchors that it published. */
import type { Envelope } from "../../../servers/Signing.ts"
import type { Client } from "../../Client.ts"
import { base64Url, utf8 } from "../../crypto/Bytes.ts"
import { canonical } from "../../crypto/Canonical.ts"
import { isSigned, type Keys } from "../../crypto/Keys.ts"
import { bytesOf, type Entry, openEntry, type SharedFile, signManifest } from "../../crypto/Manifests.ts"
import { equals, holds, until } from "../../Expect.ts"
import type { Stored } from "../../world/HomeServer.ts"
import type { Person } from "../../world/Person.ts"
import type { World } from "../../world/World.ts"

/** The requests that store a list, and those that extend a chain. */
export const put = /^PUT \/v1\/manifests\//
export const post = /^POST \/v1\/sigchains\//
/** The most anchors of a day. */
export const perDay = 4

/** Shares a file, with everybody where `readers` is left out; the id of its entry. */
export const share = async (
  alice: Client,
  name: string,
  readers?: ReadonlyArray<Person>,
  content: Uint8Array = utf8(`what is in ${name}`)
): Promise<string> => {
  const args = { name, bytes: base64Url(content), ...(readers && { with: readers.map(({ handle }) => handle) }) }
  return (await alice.does<{ readonly entry: string }>("client.share", args)).entry
}

export interface Publication {
  readonly published: boolean
  readonly reason?: string
}

export const publication = (alice: Client): Promise<Publication> => alice.does("client.publication")

export interface Published extends Stored {
  readonly payload: Readonly<Record<string, unknown>>
  readonly entries: ReadonlyArray<Entry>
}

const read = (alice: Client, stored: Stored): Published => {
  const text = Buffer.from(stored.bytes).toString("utf8")
  const envelope = JSON.parse(text) as Envelope
  equals(canonical(envelope) === text, true, "whether the manifest is in canonical form")
  equals([envelope.kez, envelope.signature.key], ["shared_files", alice.primary], "kind and signer of the manifest")
  holds(isSigned(envelope), "the signature of the manifest does not verify")
  return { ...stored, payload: envelope.payload, entries: envelope.payload["entries"] as ReadonlyArray<Entry> }
}

/** All manifests that the home has of this account, oldest first. */
export const lists = (world: World, alice: Client): ReadonlyArray<Published> =>
  (world.home.manifests.get(alice.keys.hex) ?? []).map((stored) => read(alice, stored))

/** The files of a list that a reader can open. */
export const filesFor = (reader: Keys, alice: Client, list: Published | undefined): ReadonlyArray<SharedFile> =>
  (list?.entries ?? []).flatMap((entry) => openEntry(reader, alice.keys, entry) ?? [])

export const namesFor = (reader: Keys, alice: Client, list: Published | undefined): ReadonlyArray<string> =>
  filesFor(reader, alice, list)
    .map(({ name }) => name)
    .toSorted()

/** The events of the account's chain that name a manifest, oldest first. */
export const anchors = (world: World, alice: Client) =>
  (world.sig.chains.get(alice.keys.hex) ?? [])
    .filter(({ payload }) => payload["op"] === "set_shared_files")
    .map(({ payload }) => ({
      createdAt: String(payload["created_at"]),
      ...(payload["payload"] as { readonly manifest: string; readonly size: number; readonly revision: number })
    }))

/** Syncs until the newest list has just these files for its owner. */
export const publishes = (world: World, alice: Client, names: ReadonlyArray<string>, millis?: number) =>
  until(
    async () => {
      await alice.sync()
      return lists(world, alice).at(-1)
    },
    (list) => namesFor(alice.keys, alice, list).join("/") === names.join("/"),
    `the list with ${names.join(", ") || "nothing"} is not published`,
    millis
  )

/** Syncs until the chain names a list with just these files for its owner. */
export const names = (world: World, alice: Client, expected: ReadonlyArray<string>) =>
  until(
    async () => {
      await alice.sync()
      const anchor = anchors(world, alice).at(-1)?.manifest
      return lists(world, alice).find(({ hash }) => hash === anchor)
    },
    (list) => list !== undefined && namesFor(alice.keys, alice, list).join("/") === expected.join("/"),
    `the chain does not name the list with ${expected.join(", ") || "nothing"}`
  )

/** Another device of the client's account, played by the suite. */
export class Device {
  readonly #world: World
  readonly #alice: Pick<Client, "keys" | "local">
  readonly #person: Person

  constructor(world: World, alice: Pick<Client, "keys" | "local">) {
    this.#world = world
    this.#alice = alice
    this.#person = world.stranger(alice.local, alice.keys)
  }

  /** Stores a list of these entries at the home. */
  store(revision: number, entries: ReadonlyArray<object>, anchored?: string): Stored {
    const list = signManifest(this.#alice.keys, revision, entries, anchored === undefined ? {} : { anchored })
    return this.#world.home.putManifest(this.#alice.keys.hex, bytesOf(list), revision)
  }

  /** Has the chain name a list. */
  anchor({ bytes, hash, revision }: Stored, change: Readonly<Record<string, unknown>> = {}): void {
    this.#person.chain = this.#world.sig.chains.get(this.#alice.keys.hex) ?? []
    const payload = { manifest: hash, size: bytes.length, revision }
    this.#person.extend(this.#person.event("set_shared_files", payload, this.#person.chain, change))
  }

  /** Extends the chain until nothing fits that names a list (KEZ-SIG-140). */
  fillChain(): void {
    const most = 4_194_304 - 262_144
    const person = this.#person
    let chain = this.#world.sig.chains.get(this.#alice.keys.hex) ?? []
    const lengthOf = (event: Envelope) => canonical(event).length + 1
    let left = most - chain.reduce((sum, event) => sum + lengthOf(event), 0)
    while (left > 1_000) {
      const note = "x".repeat(Math.min(60_000, left - 800))
      const event = person.event("add_device", { note }, chain)
      chain = [...chain, event]
      left -= lengthOf(event)
    }
    person.show(chain)
  }
}
