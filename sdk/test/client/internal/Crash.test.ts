/**
 * Programs that die at any step, before or after it took effect, and are started again: nothing acknowledged is lost,
 * nothing is there twice, and syncing again changes nothing.
 */
import * as fc from "fast-check"
import { Deferred, Effect, Exit, Layer, Scope } from "effect"
import { assert, describe, it } from "@effect/vitest"
import type { Message } from "@kez-chat/sdk"
import { Broker, BrokerUnavailable, LocalStore, StoreError } from "@kez-chat/sdk/services"
import { type Device, makeWorld, newDevice, newWords, type Program, type World } from "../kit/People.ts"

type Step = "commit" | "send" | "fetch"

/** The program dies at the `at`-th step of this kind from its start, before or after that step was carried out. */
interface Death {
  readonly step: Step
  readonly at: number
  readonly after: boolean
}

const noStore = new StoreError({ reason: "io", detail: "the program is dead" })
const noBroker = new BrokerUnavailable({ reason: "closed", detail: "the program is dead" })

/** A device whose program dies as planned, one death for each start, and then lives. */
const mortal = (world: World, deaths: ReadonlyArray<Death>) => {
  const device = newDevice()
  const texts: Array<string> = []
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
      commit: (writes) => perhaps("commit", device.store.commit(writes), noStore)
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
    const scope = yield* Scope.make()
    const starting = Scope.provide(world.start({ ...device, store }, {}, broker), scope)
    const close = Scope.close(scope, Exit.void)
    return { starting, died: Effect.as(Deferred.await(died), undefined), isDead: () => isDead, close }
  })

  /** Runs `use` with a program, starting it anew and trying again for as long as it dies. */
  const live = <A>(use: (program: Program) => Effect.Effect<A, unknown>): Effect.Effect<A, unknown> =>
    Effect.gen(function* () {
      while (true) {
        const { close, died, isDead, starting } = yield* start
        let program: Program | undefined
        const done = yield* Effect.raceFirst(
          Effect.flatMap(starting, (started) => {
            program = started
            return Effect.map(use(started), (value) => ({ value }))
          }).pipe(Effect.catch((error) => (isDead() ? died : Effect.fail(error)))),
          died
        )
        if (program !== undefined)
          texts.push(
            ...program
              .shown()
              .filter(isIncoming)
              .map(({ text }) => text)
          )
        yield* close
        if (done !== undefined) return done.value
      }
    })

  return { device, live, shown: texts }
}

const isIncoming = (message: Message) => message.direction === "in"

const death = fc.record({
  step: fc.constantFrom<Step>("commit", "commit", "send", "fetch"),
  at: fc.integer({ min: 1, max: 14 }),
  after: fc.boolean()
})
const deaths = fc.array(death, { maxLength: 5 })

const dump = (device: Device) =>
  Effect.map(device.store.scan({ prefix: "" }), (entries) => entries.map(({ key }) => key))

describe("programs that die", () => {
  it("lose nothing and show nothing twice", { timeout: 240_000 }, () =>
    fc.assert(
      fc.asyncProperty(deaths, deaths, fc.integer({ min: 1, max: 12 }), (ofAlice, ofBob, count) =>
        Effect.gen(function* () {
          const world = makeWorld()
          const alice = mortal(world, ofAlice)
          const bob = mortal(world, ofBob)
          const [aliceWords, bobWords] = [newWords(), newWords()]
          const join = (person: typeof alice, handle: string, words: typeof aliceWords) =>
            person.live(({ chat }) => chat.create({ handle, words }))
          yield* Effect.all([join(alice, "alice", aliceWords), join(bob, "bob", bobWords)], { concurrency: 2 })
          yield* alice.live(({ chat }) => chat.addContact("bob"))
          yield* bob.live(({ chat }) => chat.addContact("alice"))

          const wanted = Array.from({ length: count }, (_, index) => `m${index}`)
          const acknowledged = new Set<string>()
          let next = 0
          const sending = alice.live(({ chat }) =>
            Effect.gen(function* () {
              // What was being sent when the program died is not sent again: nobody was told that it was taken.
              while (next < wanted.length) {
                const text = wanted[next++]!
                yield* chat.send("bob", text)
                acknowledged.add(text)
              }
              yield* chat.sync
              yield* chat.flush
            })
          )
          const receiving = bob.live(({ chat }) =>
            Effect.gen(function* () {
              while (next < wanted.length) {
                yield* chat.sync
                yield* Effect.sleep(1)
              }
              yield* chat.sync
            })
          )
          yield* Effect.all([sending, receiving], { concurrency: 2 })
          yield* alice.live(({ chat }) => Effect.andThen(chat.sync, chat.flush))

          const texts = (messages: ReadonlyArray<Message>) => messages.map(({ text }) => text)
          const sent = yield* alice.live(({ chat }) => chat.history("bob"))
          const received = yield* bob.live(({ chat }) =>
            Effect.gen(function* () {
              yield* chat.sync
              const first = texts(yield* chat.history("alice"))
              const keys = yield* dump(bob.device)
              yield* chat.sync
              yield* chat.sync
              assert.deepStrictEqual(texts(yield* chat.history("alice")), first)
              const outgoing = (key: string) => /^(out|frame|slot|seen|track|talk|order)/.test(key)
              assert.deepStrictEqual(
                (yield* dump(bob.device)).filter((key) => !outgoing(key)),
                keys.filter((key) => !outgoing(key))
              )
              return yield* chat.history("alice")
            })
          )

          assert.deepStrictEqual(texts(received), texts(sent))
          assert.deepStrictEqual([...new Set(texts(received))], texts(received))
          for (const text of acknowledged) assert.include(texts(received), text)
          for (const message of sent) assert.include(["stored", "delivered"], message.state)
          for (const message of received) assert.isTrue(message.gap === undefined && message.fork === undefined)
          assert.strictEqual(new Set(bob.shown).size, bob.shown.length, "shown twice")
          assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "frame/" }), [])
        }).pipe(Effect.scoped, Effect.timeout("60 seconds"), Effect.runPromise)
      ),
      { numRuns: 30 }
    )
  )
})
