/** People with devices, at one home in this process: what the client's tests begin with. */
import { Deferred, Effect, Layer, Redacted, Result, Scope, Stream, Context, Exit } from "effect"
import { assert } from "@effect/vitest"
import { KezChat, type Event, type Message, type Options } from "@kez-chat/sdk"
import { Identity } from "@kez-chat/sdk/crypto"
import { Mnemonic, PrimaryKey, Problem } from "@kez-chat/sdk/protocol"
import {
  BlobStore,
  BlobTransport,
  Broker,
  Crypto,
  Directory,
  Homes,
  LocalStore,
  ManifestStore,
  noProofs,
  ProofFetcher,
  SigchainStore,
  Vault
} from "@kez-chat/sdk/services"
import { MemoryBlobStore, MemoryBlobTransport, MemoryLocalStore, MemoryVault } from "@kez-chat/sdk/memory"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { makeMemoryBroker } from "../../doubles/MemoryBroker.ts"
import { makeMemoryHome, type MemoryHome, memoryHomes } from "../../doubles/MemoryHome.ts"

/** One installation: its store and vault outlive the program that uses them. */
export interface Device {
  readonly store: LocalStore["Service"]
  readonly vault: Vault["Service"]
  readonly blobs: BlobStore["Service"]
  /** Another transport than that of the world's net. */
  readonly transport?: BlobTransport["Service"]
}

export const newDevice = (): Device => ({
  store: MemoryLocalStore.make(),
  vault: MemoryVault.make(),
  blobs: MemoryBlobStore.make()
})

/** A running program on a device: its client and the events it showed so far. */
export interface Program {
  readonly chat: KezChat["Service"]
  readonly events: ReadonlyArray<Event>
  /** The messages shown by `Message` events, in order. */
  readonly shown: () => ReadonlyArray<Message>
  /** Waits until these texts, and no others, were shown by `Message` events. */
  readonly hasShown: (texts: ReadonlyArray<string>) => Effect.Effect<void>
  /** Waits for an event that is, or was, shown. */
  readonly event: <T extends Event["_tag"]>(
    tag: T,
    test?: (event: Extract<Event, { _tag: T }>) => boolean
  ) => Effect.Effect<Extract<Event, { _tag: T }>>
  /** Ends the program as a process ends. */
  readonly close: Effect.Effect<void>
}

export type Services =
  | Crypto
  | Vault
  | LocalStore
  | Directory
  | SigchainStore
  | Broker
  | Homes
  | BlobStore
  | BlobTransport
  | ManifestStore
  | ProofFetcher

/** `askedHomes` of a world are the servers of other homes that were asked. `now` is the broker's clock, in milliseconds since the epoch; `limits` are those of the net of devices. */
export const makeWorld = (options?: {
  /** Homes of other people, by their servers' names. */
  readonly others?: ReadonlyArray<MemoryHome>
  readonly now?: () => number
  readonly inboxBytes?: number
  readonly crypto?: Layer.Layer<Crypto>
  readonly proofs?: Layer.Layer<ProofFetcher>
  readonly limits?: Parameters<typeof MemoryBlobTransport.net>[0]
}) => {
  const home = makeMemoryHome()
  const askedHomes: Array<string> = []
  const broker = makeMemoryBroker({ ...options, isMoved: (hex) => home.moved.has(PrimaryKey.ofHex(hex)) })
  home.onMoved = (primary) => broker.kick(PrimaryKey.hexOf(primary))
  const net = MemoryBlobTransport.net(options?.limits)

  const servicesOf = (
    device: Device,
    brokerLayer = broker.layer,
    homeLayer: Layer.Layer<Directory | SigchainStore | ManifestStore> = home.layer
  ): Layer.Layer<Services> =>
    Layer.mergeAll(
      memoryHomes(options?.others ?? [], askedHomes),
      homeLayer,
      brokerLayer,
      Layer.succeed(BlobTransport, device.transport ?? net.transport),
      options?.crypto ?? NodeCrypto.layer,
      options?.proofs ?? noProofs,
      Layer.succeed(LocalStore, device.store),
      Layer.succeed(Vault, device.vault),
      Layer.succeed(BlobStore, device.blobs)
    )

  /** Starts the program on a device; it ends with the scope, or when it is closed. */
  const start = (
    device: Device,
    options: Options = {},
    brokerLayer = broker.layer,
    homeLayer = home.layer
  ): Effect.Effect<Program, unknown, Scope.Scope> =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Scope.Scope)
      const context = yield* Layer.buildWithScope(
        KezChat.layer(options).pipe(Layer.provide(servicesOf(device, brokerLayer, homeLayer))),
        scope
      )
      const chat = Context.get(context, KezChat)
      const events: Array<Event> = []
      const watchers = new Set<() => void>()
      const listening = Stream.runForEach(chat.events, (event) =>
        Effect.sync(() => {
          events.push(event)
          for (const watch of watchers) watch()
        })
      )
      yield* Effect.forkIn(listening, scope, { startImmediately: true })
      const shown = () => events.flatMap((event) => (event._tag === "Message" ? [event.message] : []))
      const program: Program = {
        chat,
        events,
        shown,
        hasShown: (texts) =>
          Effect.map(
            eventually(() => shown().length >= texts.length),
            () =>
              assert.deepStrictEqual(
                shown().map(({ text }) => text),
                texts
              )
          ),
        event: <T extends Event["_tag"]>(tag: T, test: (event: Extract<Event, { _tag: T }>) => boolean = () => true) =>
          Effect.gen(function* () {
            const found = yield* Deferred.make<Extract<Event, { _tag: T }>>()
            const watch = () => {
              const event = events.find(
                (event): event is Extract<Event, { _tag: T }> =>
                  event._tag === tag && test(event as Extract<Event, { _tag: T }>)
              )
              if (event !== undefined) Deferred.doneUnsafe(found, Effect.succeed(event))
            }
            watchers.add(watch)
            watch()
            return yield* Effect.ensuring(
              Deferred.await(found),
              Effect.sync(() => watchers.delete(watch))
            )
          }),
        close: Scope.close(scope, Exit.void)
      }
      return program
    })

  return { home, askedHomes, broker, net, start, servicesOf }
}

export type World = ReturnType<typeof makeWorld>

/** The identity that words stand for, to act as another device of the account. */
export const identityOf = (words: Redacted.Redacted<string>) =>
  Identity.fromSeed(seedOf(words)).pipe(Effect.provide(NodeCrypto.layer))

/** The seed that words stand for. */
export const seedOf = (words: Redacted.Redacted<string>): Redacted.Redacted<Uint8Array> =>
  Redacted.make(Result.getOrThrow(Mnemonic.toSeed(Redacted.value(words))))

let people = 0

/** The words of a new person; different ones at each call. */
export const newWords = (): Redacted.Redacted<string> => {
  people += 1
  const entropy = new Uint8Array(32).fill(7)
  new DataView(entropy.buffer).setUint32(0, people)
  return Redacted.make(Mnemonic.generate(entropy))
}

export const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))

export const textsOf = (messages: ReadonlyArray<Message>) => messages.map(({ text }) => text)

/** The frames that the broker holds for an account: its mail (`inbox`), or the copies of what it sent (`self`). */
export const storedFrames = (world: World, primary: string, subject: "inbox" | "self") =>
  world.broker.stored(keyOf(primary)).filter((frame) => frame.subject === subject)

/** A person with a registered account on a device. */
export const join = (world: World, handle: string, device = newDevice()) =>
  Effect.gen(function* () {
    const words = newWords()
    const program = yield* world.start(device)
    const account = yield* program.chat.create({ handle, words })
    return { device, words, program, account, chat: program.chat }
  })

/** Alice and Bob, who have added each other. */
export const twoFriends = (world: World, devices: { readonly alice?: Device; readonly bob?: Device } = {}) =>
  Effect.gen(function* () {
    const alice = yield* join(world, "alice", devices.alice)
    const bob = yield* join(world, "bob", devices.bob)
    yield* alice.chat.addContact("bob")
    yield* bob.chat.addContact("alice")
    return { alice, bob }
  })

/** The code of a protocol problem, the tag of any other error. */
export const codeOf = (error: unknown): string =>
  error instanceof Problem.Problem ? error.code : (error as { _tag: string })._tag

/** Waits until a condition holds that no event tells. */
export const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!condition()) yield* Effect.sleep(5)
  })
