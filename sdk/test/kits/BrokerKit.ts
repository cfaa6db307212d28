/**
 * What every `Broker` must do, whatever carries it. Applied to NATS over TCP and over WebSocket against a real home's
 * broker, and to the in-process double.
 */
import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, type Layer, Scope, Stream } from "effect"
import {
  Broker,
  type BrokerConnection,
  type BrokerLogin,
  BrokerRefused,
  BrokerUnavailable,
  type ConnectionState,
  type Delivered
} from "../../src/services/Broker.ts"

/** One home's broker as the kit needs it. */
export interface BrokerHome {
  /** A new registered account. */
  account(): BrokerLogin
  /** A new account that nobody registered. */
  stranger(): BrokerLogin
  /** The broker as one client process has it. */
  readonly layer: Layer.Layer<Broker>
  /** Takes the whole broker away and brings it back with all it had stored. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
  /** Open connections stay open but carry nothing, as after the device slept, until `thaw`. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** Takes an account's registration back and closes its connections. */
  revoke(account: BrokerLogin): Promise<void>
  close(): Promise<void>
}

const patience = 30_000
const frame = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const kezId = (): string => randomBytes(16).toString("base64url")

export const brokerKit = (name: string, open: () => Promise<BrokerHome>): void => {
  describe(name, () => {
    let home: BrokerHome
    beforeAll(async () => {
      home = await open()
    })
    afterAll(() => home.close())

    const reach = (connection: BrokerConnection, tag: ConnectionState["_tag"]) =>
      connection.state.pipe(
        Stream.filter((state) => state._tag === tag),
        Stream.runHead,
        Effect.timeout(patience),
        Effect.map((state) => (state._tag === "Some" ? state.value : undefined))
      )
    const online = Effect.fnUntraced(function* (login: BrokerLogin) {
      const connection = yield* Broker.use((broker) => broker.connect(login))
      yield* reach(connection, "Online")
      return connection
    })
    const take = (live: Stream.Stream<Delivered>, count: number) =>
      Stream.runCollect(Stream.take(live, count)).pipe(Effect.timeout(patience))

    it.live("KEZ-NAT-007 begins with the present state and comes online", () =>
      Effect.gen(function* () {
        const broker = yield* Broker

        const connection = yield* broker.connect(home.account())
        const states = yield* connection.state.pipe(
          Stream.takeUntil((state) => state._tag === "Online"),
          Stream.runCollect,
          Effect.timeout(patience)
        )
        expect(states.at(-1)?._tag).toBe("Online")
        expect(states.every((state) => state.since > 0)).toBe(true)
      }).pipe(Effect.provide(home.layer))
    )

    it.live("delivers a frame to the addressee, live and in its pages, and to nobody else", () =>
      Effect.gen(function* () {
        const [alice, bob, carol] = [home.account(), home.account(), home.account()]
        const [a, b, c] = [yield* online(alice), yield* online(bob), yield* online(carol)]
        const live = b.live
        yield* a.send(bob.account, kezId(), frame("to bob"))
        const [delivered] = yield* take(live, 1)
        expect(delivered).toMatchObject({ subject: "inbox", lastSeq: 0 })
        expect(text(delivered!.frame)).toBe("to bob")
        expect(Math.abs(delivered!.timeMillis - Date.now())).toBeLessThan(60_000)
        const page = yield* b.fetch(0)
        expect(page.frames.map((stored) => text(stored.frame))).toEqual(["to bob"])
        expect(page.frames[0]).toMatchObject({ seq: delivered!.seq, timeMillis: delivered!.timeMillis })
        expect(page.last).toBeGreaterThanOrEqual(delivered!.seq)
        expect(page.pending).toBe(0)
        expect((yield* c.fetch(0)).frames).toEqual([])
        expect((yield* a.fetch(0)).frames).toEqual([])
      }).pipe(Effect.provide(home.layer))
    )

    it.live("KEZ-NAT-025 keeps own copies on a subject of their own, and numbers each subject's frames", () =>
      Effect.gen(function* () {
        const [alice, bob] = [home.account(), home.account()]
        const [a, b] = [yield* online(alice), yield* online(bob)]
        const live = a.live
        yield* a.send(alice.account, kezId(), frame("copy 1"))
        yield* b.send(alice.account, kezId(), frame("mail 1"))
        yield* a.send(alice.account, kezId(), frame("copy 2"))
        yield* b.send(alice.account, kezId(), frame("mail 2"))
        const all = yield* take(live, 4)
        expect(all.map((one) => [one.subject, text(one.frame)])).toEqual([
          ["self", "copy 1"],
          ["inbox", "mail 1"],
          ["self", "copy 2"],
          ["inbox", "mail 2"]
        ])
        expect(all[2]!.lastSeq).toBe(all[0]!.seq)
        expect(all[3]!.lastSeq).toBe(all[1]!.seq)
        expect((yield* a.fetch(0)).frames.map((stored) => text(stored.frame))).toEqual([
          "copy 1",
          "mail 1",
          "copy 2",
          "mail 2"
        ])
      }).pipe(Effect.provide(home.layer))
    )

    it.live("KEZ-NAT-021 stores a repeated send once", () =>
      Effect.gen(function* () {
        const [alice, bob] = [home.account(), home.account()]
        const [a, b] = [yield* online(alice), yield* online(bob)]
        const id = kezId()
        yield* a.send(bob.account, id, frame("once"))
        yield* a.send(bob.account, id, frame("once"))
        expect((yield* b.fetch(0)).frames).toHaveLength(1)
      }).pipe(Effect.provide(home.layer))
    )

    it.live(
      "pages an inbox from a cursor, in order, without gap or repetition",
      () =>
        Effect.gen(function* () {
          const bob = home.account()
          const b = yield* online(bob)
          const count = 1_200
          yield* Effect.forEach(
            Array.from({ length: count }, (_, i) => i),
            (i) => b.send(bob.account, kezId(), frame(`${i}`)),
            {
              concurrency: 16
            }
          )
          const seen: Array<number> = []
          let after = 0
          for (;;) {
            const page = yield* b.fetch(after)
            expect(page.frames.length).toBeLessThanOrEqual(512)
            if (page.frames.length === 0) {
              expect(page.pending).toBe(0)
              break
            }
            for (const stored of page.frames) {
              expect(stored.seq).toBeGreaterThan(after)
              after = stored.seq
              seen.push(Number(text(stored.frame)))
            }
            expect(page.pending).toBe(count - seen.length)
          }
          expect(seen.toSorted((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, i) => i))
        }).pipe(Effect.provide(home.layer)),
      120_000
    )

    it.live("KEZ-NAT-047 keeps the order in which one client sent", () =>
      Effect.gen(function* () {
        const [alice, bob] = [home.account(), home.account()]
        const [a, b] = [yield* online(alice), yield* online(bob)]
        const sends = yield* Effect.forEach(
          Array.from({ length: 16 }, (_, i) => i),
          (i) => Effect.forkChild(a.send(bob.account, kezId(), frame(`${i}`)), { startImmediately: true })
        )
        yield* Effect.forEach(sends, Fiber.join)
        const page = yield* b.fetch(0)
        expect(page.frames.map((stored) => Number(text(stored.frame)))).toEqual(Array.from({ length: 16 }, (_, i) => i))
      }).pipe(Effect.provide(home.layer))
    )

    it.live("KEZ-NAT-045 answers another epoch from the beginning", () =>
      Effect.gen(function* () {
        const bob = home.account()
        const b = yield* online(bob)
        yield* b.send(bob.account, kezId(), frame("1"))
        const { epoch, last } = yield* b.fetch(0)
        expect(epoch).toMatch(/^[A-Za-z0-9_-]{22}$/)
        expect((yield* b.fetch(last, epoch)).frames).toEqual([])
        const other = randomBytes(16).toString("base64url")
        const restarted = yield* b.fetch(last, other)
        expect(restarted.epoch).toBe(epoch)
        expect(restarted.frames).toHaveLength(1)
        const beyond = yield* b.fetch(last + 1_000_000_000, epoch)
        expect(beyond.last).toBeLessThan(last + 1_000_000_000)
      }).pipe(Effect.provide(home.layer))
    )

    it.live("KEZ-NAT-027 says why a send is refused and whether trying again helps", () =>
      Effect.gen(function* () {
        const alice = home.account()
        const a = yield* online(alice)
        const refusal = (effect: Effect.Effect<void, BrokerRefused | BrokerUnavailable>) => Effect.flip(effect)
        const unknown = yield* refusal(a.send(home.stranger().account, kezId(), frame("x")))
        expect(unknown).toMatchObject({ _tag: "BrokerRefused", code: "unknown", retryable: false })
        const bad = yield* refusal(a.send(alice.account, "short", frame("x")))
        expect(bad).toMatchObject({ _tag: "BrokerRefused", code: "bad", retryable: false })
        for (const length of [0, 65_537, 2_000_000]) {
          const size = yield* refusal(a.send(alice.account, kezId(), new Uint8Array(length)))
          expect(size).toMatchObject({ _tag: "BrokerRefused", code: "size", retryable: false })
        }
        yield* a.send(alice.account, kezId(), new Uint8Array(65_536))
        expect((yield* a.fetch(0)).frames[0]!.frame).toHaveLength(65_536)
      }).pipe(Effect.provide(home.layer))
    )

    it.live(
      "KEZ-NAT-058 KEZ-NAT-059 says how full an inbox is, and removes the account's own frames up to a number",
      () =>
        Effect.gen(function* () {
          const [alice, bob] = [home.account(), home.account()]
          const [a, b] = [yield* online(alice), yield* online(bob)]
          for (const one of ["1", "2"]) yield* a.send(bob.account, kezId(), frame(one))
          yield* b.send(bob.account, kezId(), frame("own"))
          const before = yield* b.trim("inbox")
          expect(before.used).toBeGreaterThan(0)
          expect(before.limit).toBeGreaterThan(before.used)
          expect(Math.abs((before.oldestMillis ?? 0) - Date.now())).toBeLessThan(60_000)
          const { epoch, frames, last } = yield* b.fetch(0)
          expect(before.epoch).toBe(epoch)
          for (const wrong of [
            { upTo: last, epoch: randomBytes(16).toString("base64url") },
            { upTo: last + 1_000_000, epoch }
          ]) {
            expect(yield* Effect.flip(b.trim("inbox", wrong))).toMatchObject({ _tag: "BrokerRefused", code: "bad" })
          }
          const after = yield* b.trim("inbox", { upTo: frames[0]!.seq, epoch })
          expect(after).toMatchObject({ epoch })
          expect((yield* b.fetch(0)).frames.map((stored) => text(stored.frame))).toEqual(["2", "own"])
          const again = yield* Effect.flip(b.trim("inbox", { upTo: last, epoch }))
          expect(again).toMatchObject({ _tag: "BrokerRefused", code: "slow", retryable: true })
          expect((again as BrokerRefused).untilMillis).toBeGreaterThan(Date.now())
          expect((yield* a.trim("inbox")).used).toBe(0)
        }).pipe(Effect.provide(home.layer))
    )

    it.live("KEZ-NAT-062 KEZ-NAT-063 keeps nothing of a blocked sender, until it is unblocked", () =>
      Effect.gen(function* () {
        const [alice, bob] = [home.account(), home.account()]
        const [a, b] = [yield* online(alice), yield* online(bob)]
        yield* b.block("add", alice.account)
        yield* b.block("add", alice.account)
        yield* a.send(bob.account, kezId(), frame("unseen"))
        yield* b.send(alice.account, kezId(), frame("the other way"))
        expect((yield* b.fetch(0)).frames).toEqual([])
        expect((yield* a.fetch(0)).frames).toHaveLength(1)
        yield* b.block("remove", alice.account)
        yield* a.send(bob.account, kezId(), frame("seen"))
        expect((yield* b.fetch(0)).frames.map((stored) => text(stored.frame))).toEqual(["seen"])
        expect(yield* Effect.flip(b.block("add", bob.account))).toMatchObject({ code: "bad", retryable: false })
      }).pipe(Effect.provide(home.layer))
    )

    it.live("takes sixteen of the largest frames on as many pages as they need", () =>
      Effect.gen(function* () {
        const alice = home.account()
        const a = yield* online(alice)
        for (let i = 0; i < 16; i++) yield* a.send(alice.account, kezId(), new Uint8Array(65_536).fill(i))
        const seen: Array<number> = []
        for (let after = 0; seen.length < 16; after = seen.length === 0 ? 0 : after) {
          const page = yield* a.fetch(after)
          expect(page.frames.length).toBeGreaterThan(0)
          for (const stored of page.frames) {
            after = stored.seq
            seen.push(stored.frame[0]!)
          }
        }
        expect(seen).toEqual(Array.from({ length: 16 }, (_, i) => i))
      }).pipe(Effect.provide(home.layer))
    )

    it.live("two connections of one account both hear what arrives", () =>
      Effect.gen(function* () {
        const [alice, bob] = [home.account(), home.account()]
        const [a, phone, laptop] = [yield* online(alice), yield* online(bob), yield* online(bob)]
        const [first, second] = [phone.live, laptop.live]
        yield* a.send(bob.account, kezId(), frame("both"))
        expect(text((yield* take(first, 1))[0]!.frame)).toBe("both")
        expect(text((yield* take(second, 1))[0]!.frame)).toBe("both")
      }).pipe(Effect.provide(home.layer))
    )

    it.live("tells a refused login apart from an outage, and stays refused without hurry", () =>
      Effect.gen(function* () {
        const broker = yield* Broker

        const connection = yield* broker.connect(home.stranger())
        const state = yield* reach(connection, "Offline")
        expect(state).toMatchObject({ error: { reason: "unauthorized" } })
        const error = yield* Effect.flip(connection.fetch(0))
        expect(error).toMatchObject({ _tag: "BrokerUnavailable", reason: "unauthorized" })
      }).pipe(Effect.provide(home.layer))
    )

    it.live("KEZ-NAT-016 learns of a revocation while connected", () =>
      Effect.gen(function* () {
        const alice = home.account()
        const a = yield* online(alice)
        yield* Effect.promise(() => home.revoke(alice))
        const refused = yield* a.state.pipe(
          Stream.filter((state) => state._tag === "Offline" && state.error.reason === "unauthorized"),
          Stream.runHead,
          Effect.timeout(patience)
        )
        expect(refused._tag).toBe("Some")
      }).pipe(Effect.provide(home.layer))
    )

    it.live("replaces a connection that does not answer a check, and keeps one that does", () =>
      Effect.gen(function* () {
        const alice = home.account()
        const a = yield* online(alice)
        const lost = yield* Effect.forkChild(reach(a, "Offline"), { startImmediately: true })
        yield* a.check
        expect(lost.pollUnsafe()).toBeUndefined()
        // Sooner than a connection notices by itself.
        yield* Effect.promise(() => home.freeze()).pipe(
          Effect.andThen(Effect.timeout(a.check, 10_000)),
          Effect.ensuring(Effect.promise(() => home.thaw()))
        )
        yield* Fiber.join(lost)
        yield* reach(a, "Online")
        yield* a.send(alice.account, kezId(), frame("again"))
        expect((yield* a.fetch(0)).frames).toHaveLength(1)
      }).pipe(Effect.provide(home.layer))
    )

    it.live(
      "a check ends a pause before the next attempt to connect",
      () =>
        Effect.gen(function* () {
          const a = yield* online(home.account())
          yield* Effect.promise(() => home.goDown())
          yield* reach(a, "Offline")
          yield* a.check
          yield* Effect.promise(() => home.comeBack())
          const back = reach(a, "Online")
          yield* Effect.race(back, Effect.forever(Effect.delay(a.check, 100)))
        }).pipe(Effect.provide(home.layer)),
      120_000
    )

    it.live("ends state and live with its scope, and refuses afterwards", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const alice = home.account()
        const connection = yield* Scope.provide(online(alice), scope)
        const states = yield* Effect.forkChild(Stream.runCollect(connection.state), { startImmediately: true })
        const live = yield* Effect.forkChild(Stream.runCollect(connection.live), { startImmediately: true })
        yield* Scope.close(scope, Exit.void)
        expect((yield* Fiber.join(states)).at(-1)?._tag).toBe("Closed")
        expect(yield* Fiber.join(live)).toEqual([])
        const error = yield* Effect.flip(connection.send(alice.account, kezId(), frame("x")))
        expect(error).toMatchObject({ _tag: "BrokerUnavailable", reason: "closed" })
      }).pipe(Effect.provide(home.layer))
    )

    it.live(
      "KEZ-NAT-007 reconnects by itself after an outage, hears and pages what came then",
      () =>
        Effect.gen(function* () {
          const [alice, bob] = [home.account(), home.account()]
          const [a, b] = [yield* online(alice), yield* online(bob)]
          yield* a.send(bob.account, kezId(), frame("before"))
          const { last, epoch } = yield* b.fetch(0)
          yield* Effect.promise(() => home.goDown())
          yield* reach(a, "Offline")
          const failed = yield* Effect.flip(a.send(bob.account, kezId(), frame("lost")))
          expect(failed).toBeInstanceOf(BrokerUnavailable)
          yield* Effect.promise(() => home.comeBack())
          yield* reach(a, "Online")
          yield* reach(b, "Online")
          const live = b.live
          yield* a.send(bob.account, kezId(), frame("after"))
          expect(text((yield* take(live, 1))[0]!.frame)).toBe("after")
          const page = yield* b.fetch(last, epoch)
          expect(page.epoch).toBe(epoch)
          expect(page.frames.map((stored) => text(stored.frame))).toEqual(["after"])
        }).pipe(Effect.provide(home.layer)),
      120_000
    )
  })
}
