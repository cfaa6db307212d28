/**
 * Two chat-servers and two sig-servers on one PostgreSQL: what is decided once is decided for all, and what was
 * acknowledged survives kill -9 of any of them and of the database.
 */
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as Nats from "@kez-chat/sdk/nats"
import { Broker } from "@kez-chat/sdk/services"
import { Context, Effect, Layer, Stream } from "effect"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { kezId } from "../kits/Account.ts"
import { readNumbers, sendUntilStored } from "../kits/NumberedFrames.ts"
import { hasPostgres, type PostgresServer, startPostgres } from "../kits/PostgresServer.ts"
import { headerBlock, openRaw } from "../kits/RawClient.ts"
import {
  deletion,
  endpointEvent,
  get,
  type Identity,
  newIdentity,
  post,
  registration,
  run,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"
import { until } from "../kits/TestBroker.ts"

const folder = temporaryFolder()
const pace = { bytes: 600, pauseMillis: 50 }
const unlimited = ["--reads-per-minute", "0", "--registrations-per-hour", "0"]

describe.skipIf(!hasPostgres())("two servers of each kind on one PostgreSQL", () => {
  let postgres: PostgresServer
  let home: Home
  let secondChat: Running
  let secondSig: Running

  const startSecondChat = async () => {
    const keys = ["--keys-dir", join(folder.path, "keys")]
    const nats = ["--nats-url", home.urls.nats, "--sig-server-url", home.urls.sigServer]
    secondChat = await startChat(folder.path, [...keys, ...nats, "--db", postgres.url("chat")])
    await isHealthy(secondChat.url)
  }
  const isHealthy = (url: string) => until(`${url} is healthy`, () => isOk(`${url}/v1/healthz`), 60_000)
  const isOk = async (url: string) => (await get(url).catch(() => ({ status: 0 }))).status === 200

  beforeAll(async () => {
    postgres = await startPostgres({ durable: true })
    await Promise.all(["chat", "sig"].map((name) => postgres.create(name)))
    const sig = ["--db", postgres.url("sig"), "--appends-per-minute", "0", "--new-chains-per-hour", "0"]
    const chat = ["--db", postgres.url("chat"), ...unlimited]
    home = await startHome({ data: folder.path, ports: "auto", source: true, flags: { chat, sig } })
    await startSecondChat()
    secondSig = await startSig(folder.path, ["--db", postgres.url("sig")])
  })
  afterAll(async () => {
    await secondChat?.stop()
    await secondSig?.stop()
    await home?.remove()
    await postgres?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const chats = () => [home.urls.home, secondChat.url]
  const register = async (handle: string, url = home.urls.home) => {
    const identity = await newIdentity()
    const { status, text } = await post(`${url}/v1/register`, await registration(identity, handle))
    expect(status, text).toBe(201)
    return identity
  }
  const logIn = async (identity: Identity) => {
    const client = await openRaw({ kind: "tcp", port: home.ports.nats })
    const verdict = await client.login(identity.brokerLogin)
    if (verdict === undefined) return client
    client.close()
    return verdict
  }
  const send = async (client: Awaited<ReturnType<typeof openRaw>>, to: Identity, bytes: number) => {
    const header = headerBlock(`Kez-Id: ${kezId()}`)
    const answer = await client.request(`kez.inbox.${to.key.hex}`, Buffer.alloc(bytes, 1), header)
    return JSON.parse(answer.payload.toString()) as { readonly ok?: 1; readonly code?: string }
  }

  it("KEZ-REG-014 give a handle to one of two keys that ask for it at the same moment, and a key one handle", async () => {
    for (let round = 0; round < 25; round++) {
      const [one, two] = [await newIdentity(), await newIdentity()]
      const envelopes = await Promise.all([registration(one, `race${round}`), registration(two, `race${round}`)])
      const answers = await Promise.all(envelopes.map((envelope, i) => post(`${chats()[i]}/v1/register`, envelope)))
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409])
      const winner = answers[0]!.status === 201 ? one : two
      for (const url of chats()) {
        expect((await get(`${url}/v1/u/race${round}`)).json["primary"]).toBe(winner.primary)
      }
      const loser = winner === one ? two : one
      const names = await Promise.all(["a", "b"].map((name) => registration(loser, `${name}-of-${round}`)))
      const taken = await Promise.all(names.map((envelope, i) => post(`${chats()[i]}/v1/register`, envelope)))
      expect(taken.map(({ status }) => status).toSorted()).toEqual([201, 409])
    }
  })

  it("KEZ-SIG-126 append one of two events that follow on the same head", async () => {
    const identity = await newIdentity()
    const urls = [home.urls.sigServer, secondSig.url]
    const chain = (url: string) => `${url}/v1/sigchains/ed25519/${identity.key.hex}`
    let head: { seq: number; hash: string } | undefined
    for (let round = 0; round < 25; round++) {
      const at = head
      const events = [await endpointEvent(identity, at), await endpointEvent(identity, at)]
      const answers = await Promise.all(events.map((event, i) => post(`${chain(urls[i]!)}/events`, event)))
      const statuses = answers.map(({ status }) => status).toSorted()
      // Signed in the same millisecond they are the same event.
      expect([
        [201, 409],
        [200, 201]
      ]).toContainEqual(statuses)
      head = answers.find(({ status }) => status === 201)!.json as unknown as typeof head
      for (const url of urls) expect((await get(`${chain(url)}/head`)).json).toEqual(head)
    }
  })

  it("let a new account in wherever its login is answered, and find it wherever mail for it is", async () => {
    for (let round = 0; round < 10; round++) {
      const identity = await register(`fresh${round}`, chats()[round % 2])
      const client = await logIn(identity)
      if (typeof client === "string") throw new Error(client)
      expect(await send(client, identity, 600)).toEqual({ ok: 1 })
      client.close()
    }
  })

  it("share quotas exactly, whichever of them counts", async () => {
    const [sender, recipient] = [await register("sharing"), await register("recipient")]
    const client = await logIn(sender)
    if (typeof client === "string") throw new Error(client)
    const answers = await Promise.all(Array.from({ length: 60 }, () => send(client, recipient, 1_000)))
    // A stranger's share of a day.
    expect(answers.filter(({ ok }) => ok === 1)).toHaveLength(34)
    client.close()
  })

  it("refuse an ended account everywhere within a second, although no notification arrives", async () => {
    const identity = await register("ended")
    const client = await logIn(identity)
    if (typeof client === "string") throw new Error(client)
    for (const url of chats()) for (let i = 0; i < 2; i++) expect(await isOk(`${url}/v1/u/ended`)).toBe(true)
    const listeners = await postgres.query<{ pid: number }>(
      "chat",
      "SELECT pid FROM pg_stat_activity WHERE datname = 'chat' AND query LIKE 'LISTEN%'"
    )
    expect(listeners).toHaveLength(2)
    for (const { pid } of listeners) process.kill(pid, "SIGSTOP")
    try {
      const committed = await post(`${secondChat.url}/v1/delete`, await deletion(identity, "ended"))
      const endedAt = performance.now()
      expect(committed.status).toBe(204)
      await Promise.all([
        client.closed,
        ...chats().map((url) => until("it is not found", async () => (await get(`${url}/v1/u/ended`)).status === 410))
      ])
      expect(performance.now() - endedAt).toBeLessThan(1_000)
      const logins = await Promise.all(Array.from({ length: 12 }, () => logIn(identity)))
      expect(logins.every((verdict) => typeof verdict === "string")).toBe(true)
    } finally {
      for (const { pid } of listeners) process.kill(pid, "SIGCONT")
    }
  })

  it("hear of a revocation by an admin command at once", async () => {
    const identity = await register("revoked")
    const client = await logIn(identity)
    if (typeof client === "string") throw new Error(client)
    const admin = ["admin", "revoke", "revoked", "--db", postgres.url("chat"), "--internal-port", "1", "--yes"]
    const { code, stdout } = await run("chat-server", admin)
    expect([code, stdout]).toEqual([0, expect.stringContaining("revoked is revoked")])
    await client.closed
    expect(typeof (await logIn(identity))).toBe("string")
  })

  it("answer unavailable while the database is gone, and recover by themselves", async () => {
    const url = `${secondChat.url}/v1/u/someone-else`
    const chain = `${secondSig.url}/v1/sigchains/ed25519/${(await newIdentity()).key.hex}/head`
    const identity = await newIdentity()
    await postgres.stop("SIGKILL")
    expect((await get(url)).json["code"]).toBe("unavailable")
    const refused = await post(`${secondChat.url}/v1/register`, await registration(identity, "patient"))
    expect([refused.status, refused.json["code"]]).toEqual([503, "unavailable"])
    for (const server of [secondChat, secondSig]) {
      await until("it says so", async () => (await get(`${server.url}/v1/healthz`)).status === 503)
    }
    await postgres.start()
    await Promise.all([secondChat.url, secondSig.url, home.urls.home].map(isHealthy))
    expect((await get(url)).json["code"]).toBe("handle_not_found")
    expect((await get(chain)).status).toBe(404)
    await register("patient")
    for (const { logs } of [secondChat, secondSig]) expect(JSON.stringify(logs)).not.toContain("kez@")
  })

  it("KEZ-REG-017 lose no acknowledged registration when servers and the database are killed", async () => {
    const held = new Map<string, string>()
    let [names, rounds] = [0, 0]
    const ended = new AbortController()
    const work = async (writer: number) => {
      while (!ended.signal.aborted) {
        const identity = await newIdentity()
        const handle = `kept${names++}`
        const envelope = await registration(identity, handle)
        const answer = await post(`${chats()[writer % 2]}/v1/register`, envelope).catch(() => undefined)
        if (answer?.status === 201) held.set(handle, identity.primary)
        else await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const workers = Array.from({ length: 8 }, (_, writer) => work(writer))
    for (; rounds < 3; rounds++) {
      const before = held.size
      await until("some are registered", () => held.size > before + 40)
      await postgres.stop("SIGKILL")
      await postgres.start()
      await until("more are registered", () => held.size > before + 60)
      await secondChat.stop("SIGKILL")
      await startSecondChat()
    }
    ended.abort()
    await Promise.all(workers)
    await Promise.all(chats().map(isHealthy))
    for (const [handle, primary] of held) {
      expect((await get(`${secondChat.url}/v1/u/${handle}`)).json["primary"]).toBe(primary)
    }
  })

  it("lose and repeat nothing of 1,500 sends when either chat-server and the database are killed", async () => {
    const count = 1_500
    const [alice, bob] = [await register("alice"), await register("bobby")]
    let stored = 0
    const kills = (async () => {
      for (let i = 1; i <= 2; i++) {
        await until("so many are stored", () => stored > (count / 6) * i, 300_000)
        await postgres.stop("SIGKILL")
        await postgres.start()
        await until("so many are stored", () => stored > (count / 6) * (i + 1), 300_000)
        await home.processes.chat.kill("SIGKILL")
        await home.processes.chat.restart()
        await secondChat.stop("SIGKILL")
        await startSecondChat()
      }
    })()
    const all = Array.from({ length: count }, (_, i) => i)
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const layer = Nats.layer({ urls: [home.urls.nats] }).pipe(Layer.provide(NodeCrypto.layer))
          const broker = Context.get(yield* Layer.build(layer), Broker)
          const [a, b] = [yield* broker.connect(alice.brokerLogin), yield* broker.connect(bob.brokerLogin)]
          // Known to each other, so that their quotas are not those of strangers.
          yield* sendUntilStored(b, alice.key, 0, pace)
          yield* Effect.forEach(
            all,
            (i) => Effect.tap(sendUntilStored(a, bob.key, i, pace), () => Effect.sync(() => void (stored += 1))),
            { concurrency: 16 }
          )
          yield* Effect.promise(() => kills)
          yield* Stream.runHead(Stream.filter(b.state, ({ _tag }) => _tag === "Online"))
          expect((yield* readNumbers(b)).toSorted((x, y) => x - y)).toEqual(all)
        })
      )
    )
    // Never less was counted than the inbox holds.
    const [counted] = await postgres.query<{ n: string }>(
      "chat",
      `SELECT sum(n) AS n FROM broker_counters WHERE key = '\\x73${bob.key.hex}'`
    )
    expect(Number(counted?.n)).toBeGreaterThanOrEqual(count * pace.bytes)
  })
})
