/** Devices whose programs die: for tests that whatever was acknowledged survives a crash at any step. */
import * as fc from "fast-check"
import { Deferred, Effect, Exit, Layer, Scope } from "effect"
import {
  BlobStore,
  Broker,
  BrokerUnavailable,
  LocalStore,
  ManifestStore,
  ServerUnreachable,
  SigchainStore,
  StoreError
} from "@kez-chat/sdk/services"
import type { Device, Program, World } from "./People.ts"

/** A commit or synchronisation of the local store, a call of the broker, or one of the home server. */
export type Step = "commit" | "sync" | "send" | "fetch" | "put" | "append"

/** The program dies at the `at`-th step of this kind from its start, before or after that step was carried out. */
export interface Death {
  readonly step: Step
  readonly at: number
  readonly after: boolean
}

/** A death at one of these steps, at the latest at its `latest`-th occurrence. */
export const deathAt = (latest: number, ...steps: ReadonlyArray<Step>): fc.Arbitrary<Death> =>
  fc.record({ step: fc.constantFrom(...steps), at: fc.integer({ min: 1, max: latest }), after: fc.boolean() })

const detail = "the program is dead"
const noStore = new StoreError({ reason: "io", detail })
const noBroker = new BrokerUnavailable({ reason: "closed", detail })
const noHome = new ServerUnreachable({ url: "memory://", detail })

/**
 * A device whose program dies as planned, one death for each start, and then lives. `afterDeath` is what happens to the
 * device before the next start.
 */
export const mortal = <D extends Death>(
  world: World,
  device: Device,
  deaths: ReadonlyArray<D>,
  afterDeath: (death: D) => Effect.Effect<void, unknown> = () => Effect.void
) => {
  const shown: Array<string> = []
  let starts = 0

  const start = Effect.gen(function* () {
    const death = deaths[starts++]
    const died = yield* Deferred.make<void>()
    let count = 0
    let isDead = false
    // Once dead, nothing of this program has an effect any more.
    const perhaps = <A, E, R>(step: Step, effect: Effect.Effect<A, E, R>, dead: E): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        if (isDead) return Effect.fail(dead)
        if (death?.step !== step || ++count < death.at) return effect
        isDead = true
        const last = death.after ? Effect.exit(effect) : Effect.void
        return Effect.andThen(last, Effect.andThen(Deferred.succeed(died, undefined), Effect.fail(dead)))
      })
    const store = LocalStore.of({
      ...device.store,
      commit: (writes) => perhaps("commit", device.store.commit(writes), noStore),
      sync: perhaps("sync", device.store.sync, noStore)
    })
    const blobs = BlobStore.of({
      ...device.blobs,
      remove: (hash) => Effect.suspend(() => (isDead ? Effect.void : device.blobs.remove(hash)))
    })
    const broker = Layer.effect(
      Broker,
      Effect.map(Broker, (inner) =>
        Broker.of({
          connect: (login) =>
            Effect.map(inner.connect(login), (connection) => ({
              ...connection,
              live: connection.live,
              send: (recipient, kezId, frame) => perhaps("send", connection.send(recipient, kezId, frame), noBroker),
              fetch: (after, epoch) => perhaps("fetch", connection.fetch(after, epoch), noBroker)
            }))
        })
      )
    ).pipe(Layer.provide(world.broker.layer))
    const manifests = Layer.effect(
      ManifestStore,
      Effect.map(ManifestStore, (inner) =>
        ManifestStore.of({ ...inner, put: (owner, body) => perhaps("put", inner.put(owner, body), noHome) })
      )
    )
    const sigchains = Layer.effect(
      SigchainStore,
      Effect.map(SigchainStore, (inner) =>
        SigchainStore.of({ ...inner, append: (owner, event) => perhaps("append", inner.append(owner, event), noHome) })
      )
    )
    const home = Layer.mergeAll(manifests, sigchains).pipe(Layer.provideMerge(world.home.layer))
    const scope = yield* Scope.make()
    const starting = Scope.provide(world.start({ ...device, store, blobs }, {}, broker, home), scope)
    const close = Scope.close(scope, Exit.void)
    return { starting, death, died: Effect.as(Deferred.await(died), undefined), isDead: () => isDead, close }
  })

  /** Runs `use` with a program, starting it anew and trying again for as long as it dies. */
  const live = <A>(use: (program: Program) => Effect.Effect<A, unknown>): Effect.Effect<A, unknown> =>
    Effect.gen(function* () {
      while (true) {
        const { close, death, died, isDead, starting } = yield* start
        let program: Program | undefined
        const done = yield* Effect.raceFirst(
          Effect.flatMap(starting, (started) => {
            program = started
            return Effect.map(use(started), (value) => ({ value }))
          }).pipe(Effect.catch((error) => (isDead() ? died : Effect.fail(error)))),
          died
        )
        const incoming = program?.shown().filter(({ direction }) => direction === "in") ?? []
        shown.push(...incoming.map(({ text }) => text))
        yield* close
        if (isDead() && death !== undefined) yield* afterDeath(death)
        if (done !== undefined) return done.value
      }
    })

  /** `shown`: the texts of the incoming messages that any of the programs showed. */
  return { device, live, shown }
}
