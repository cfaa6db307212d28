/**
 * How many people a home on this machine carries: one on SQLite with one nats-server, and one on PostgreSQL with three,
 * three replicas and two chat-servers. `deploy/docs/sizing.md` is made from what it prints.
 *
 *     npm run bench -- --only capacity [--accounts 100000] [--sizes FILE]
 *
 * Accounts are signed registrations written through the registry's own database layer, a thousand in a transaction; a
 * part registers, logs in and sends as clients do, and is timed. Every account gets one frame in its inbox: a part by
 * sends of clients, the rest by the same publish that chat-server makes for a send.
 */
import { headers } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { Envelope } from "@kez-chat/sdk/protocol"
import { Context, Effect, Layer } from "effect"
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Figure, percentile, report } from "../../sdk/bench/Report.ts"
import * as RawKeys from "../src/broker/login/RawKeys.ts"
import { Database } from "../src/storage/Database.ts"
import { openDatabase } from "../src/storage/OpenDatabase.ts"
import { registrySchema } from "../src/storage/Schemas.ts"
import { kezId } from "../test/kits/Account.ts"
import { startPostgres } from "../test/kits/PostgresServer.ts"
import { headerBlock, openRaw, type RawClient } from "../test/kits/RawClient.ts"
import {
  endpointEvent,
  get,
  type Identity,
  newIdentity,
  post,
  registration,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../test/kits/Servers.ts"
import { startTestBroker, until } from "../test/kits/TestBroker.ts"

const { values } = parseArgs({
  options: { accounts: { type: "string", default: "100000" }, sizes: { type: "string" } },
  strict: false
})
const accounts = Number(values["accounts"])
/** Accounts that act as clients do. */
const active = Math.min(2_000, accounts)
/** Of these, those that register themselves. */
const registering = Math.min(500, active)
const sends = 5_000
const frameBytes = 600
const plenty = `${2 ** 40}`
const storeBytes = 4 * 1024 ** 3

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** Runs `count` jobs with `width` of them under way: jobs a second, and the time of one in milliseconds. */
const measure = async (count: number, width: number, job: (i: number) => Promise<unknown>) => {
  const times: Array<number> = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) {
        const i = next++
        const at = performance.now()
        await job(i)
        times.push(performance.now() - at)
      }
    })
  )
  const perSecond = Math.round(count / ((performance.now() - began) / 1_000))
  return { perSecond, p50: round(percentile(times, 0.5)), p99: round(percentile(times, 0.99)) }
}

const round = (value: number): number => Math.round(value * 10) / 10

/** A kept connection may have been closed meanwhile. */
const again = <A>(job: () => Promise<A>): Promise<A> => job().catch(job)

/** Resident memory in MiB. */
const memory = (pid: number | undefined): number =>
  round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024)

const diskBytes = (path: string): number => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 0
  return found.isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name)), 0)
    : found.blocks * 512
}

/** Signed registrations of accounts that nobody uses, as the registry keeps them. Made from one that a client signed. */
const makeRows = async (count: number) => {
  const { payload, signature, ...rest } = await registration(await newIdentity(), "idle")
  return Array.from({ length: count }, (_, i) => {
    // Not by makeAccount, which takes milliseconds to check each key.
    const { privateKey } = generateKeyPairSync("ed25519")
    const hex = Buffer.from(RawKeys.publicBytes(privateKey)).toString("hex")
    const primary = `ed25519:${hex}`
    const own = { ...payload, handle: `idle${i}`, primary }
    const sig = sign(null, createHash("sha512").update(Envelope.signedText(own)).digest(), privateKey)
    const envelope = {
      ...rest,
      payload: own,
      signature: { ...signature, key: primary, sig: sig.toString("hex") }
    }
    return { handle: own.handle, hex, text: Envelope.encodeText(envelope) }
  })
}

type Rows = Awaited<ReturnType<typeof makeRows>>

const writeRows = (db: string, rows: Rows) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const layer = openDatabase({ db, schema: registrySchema })
        const { transaction } = Context.get(yield* Layer.build(layer), Database)
        const now = new Date().toISOString()
        for (let from = 0; from < rows.length; from += 1_000) {
          yield* transaction({ lock: "accounts" }, (sql) =>
            Effect.forEach(
              rows.slice(from, from + 1_000),
              ({ handle, hex, text }) =>
                sql`INSERT INTO accounts (handle, primary_hex, state, registered_at, registration, invite)
                  VALUES (${handle}, ${hex}, 'active', ${now}, ${text}, ${null})`,
              { discard: true }
            )
          )
        }
      })
    )
  )

type Kind = "SQLite, one nats-server" | "PostgreSQL, three nats-servers"

const capacity = async (kind: Kind, rows: Rows) => {
  const isLarge = kind.startsWith("PostgreSQL")
  const folder = temporaryFolder()
  const postgres = isLarge ? await startPostgres({ durable: true }) : undefined
  const databases = {
    chat: (await postgres?.create("chat")) ?? join(folder.path, "chat.db"),
    sig: (await postgres?.create("sig")) ?? join(folder.path, "sig.db")
  }
  // Room for what the client's limits would refuse to a few senders.
  const broker = await startTestBroker({
    servers: isLarge ? 3 : 1,
    withoutResponders: true,
    inboxBytes: storeBytes,
    // The inboxes are filled without a disk write each; what is timed afterwards has the default.
    ...(isLarge ? {} : { syncInterval: "10s" })
  })
  const sizeOf = async (name: "chat" | "sig") =>
    postgres === undefined
      ? ["", "-wal"].reduce((sum, end) => sum + diskBytes(databases[name] + end), 0)
      : Number((await postgres.query<{ n: string }>("chat", `SELECT pg_database_size('${name}') AS n`))[0]?.n)
  const sig = await startSig(folder.path, ["--db", databases.sig])
  const startOne = async () => {
    const nats = broker.nodes.map(({ tcpPort }) => `nats://127.0.0.1:${tcpPort}`).join(",")
    const began = performance.now()
    const chat = await startChat(folder.path, [
      ...["--db", databases.chat, "--keys-dir", join(broker.folder, "keys"), "--nats-url", nats],
      ...["--replicas", `${broker.nodes.length}`, "--store-bytes", `${storeBytes}`, "--sig-server-url", sig.url],
      ...["--inbox-bytes", plenty, "--send-bytes-per-day", plenty]
    ])
    const listening = performance.now() - began
    const isOk = async () => (await again(() => get(`${chat.url}/v1/healthz`))).status === 200
    await until("chat-server is healthy", isOk, 120_000)
    return { chat, listening: Math.round(listening), healthy: Math.round(performance.now() - began) }
  }
  const pids = () => broker.nodes.map(({ monitoringPort }) => varz(monitoringPort))
  const varz = async (port: number) => {
    const answer = (await (await fetch(`http://127.0.0.1:${port}/varz`)).json()) as { mem: number }
    return answer.mem / 1024 ** 2
  }
  const brokerMemory = async () => round((await Promise.all(pids())).reduce((sum, mem) => sum + mem, 0))

  let servers: Array<Running> = [(await startOne()).chat]
  // A server gives back what starting took, some seconds after it.
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  const empty = { chatMemory: memory(servers[0]?.child.pid), brokerMemory: await brokerMemory() }
  const url = () => servers[0]!.url

  const emptyBytes = { chat: await sizeOf("chat"), sig: await sizeOf("sig") }

  say(`\n${kind}`)
  const identities = await Promise.all(Array.from({ length: active }, newIdentity))
  const envelopes = await Promise.all(identities.map((identity, i) => registration(identity, `active${i}`)))
  const registered = await measure(registering, 16, async (i) => {
    const { status } = await again(() => post(`${url()}/v1/register`, envelopes[i]))
    if (status !== 201 && status !== 200) throw new Error(`a registration was answered ${status}`)
  })
  say(`  registrations             ${JSON.stringify(registered)}`)
  const chains = await measure(registering, 16, async (i) => {
    const event = await endpointEvent(identities[i] as Identity)
    const hex = (identities[i] as Identity).key.hex
    const { status } = await again(() => post(`${sig.url}/v1/sigchains/ed25519/${hex}/events`, event))
    if (status !== 201 && status !== 200) throw new Error(`an event was answered ${status}`)
  })
  say(`  first events of chains    ${JSON.stringify(chains)}`)

  // The rest of the accounts, and a frame in each inbox.
  await Promise.all(servers.map((server) => server.stop()))
  const rest = rows.slice(0, accounts - active)
  const others = envelopes.slice(registering).map((envelope, i) => ({
    handle: `active${registering + i}`,
    hex: (identities[registering + i] as Identity).key.hex,
    text: Envelope.encodeText(envelope)
  }))
  say(`  writing ${rest.length + others.length} accounts`)
  await writeRows(databases.chat, [...others, ...rest])
  const first = await startOne()
  servers = [first.chat, ...(isLarge ? [(await startOne()).chat] : [])]
  const { gateway } = broker.keys
  const connection = await connect({
    servers: [broker.tcp],
    inboxPrefix: "_INBOX_ing.bench",
    noAsyncTraces: true,
    authenticator: (nonce) => ({
      nkey: gateway.publicNkey,
      sig: sign(null, Buffer.from(nonce ?? ""), gateway.key).toString("base64url")
    })
  })
  const before = diskBytes(join(broker.folder, "jetstream-1"))
  const filled = await measure(rest.length, 256, async (i) => {
    const header = headers()
    header.set("Nats-Msg-Id", kezId())
    const answer = await connection.request(`kez.inbox.${rest[i]!.hex}`, randomBytes(frameBytes), {
      timeout: 30_000,
      headers: header
    })
    if (typeof answer.json<{ seq?: number }>().seq !== "number") throw new Error(answer.string())
  })
  say(`  publishes, 256 at a time  ${JSON.stringify(filled)}`)
  const streamBytes = rest.length === 0 ? 0 : (diskBytes(join(broker.folder, "jetstream-1")) - before) / rest.length
  await connection.close()
  if (!isLarge) {
    const conf = join(broker.folder, "nats-1.conf")
    writeFileSync(conf, readFileSync(conf, "utf8").replace('sync_interval: "10s"', "sync_interval: always"))
    await broker.nodes[0]!.kill("SIGTERM")
    await broker.nodes[0]!.start()
    await until("chat-server is healthy", async () => (await again(() => get(`${url()}/v1/healthz`))).status === 200)
  }
  const idle = {
    chatMemory: servers.map(({ child }) => memory(child.pid)),
    sigMemory: memory(sig.child.pid),
    brokerMemory: await brokerMemory()
  }

  const names = Array.from({ length: 5_000 }, (_, i) =>
    rest.length === 0 ? `active${i % active}` : `idle${(i * 7919) % rest.length}`
  )
  const lookups = await measure(names.length, 16, async (i) => {
    const { status } = await again(() => get(`${url()}/v1/u/${names[i]}`))
    if (status !== 200) throw new Error(`a lookup was answered ${status}`)
  })
  say(`  lookups                   ${JSON.stringify(lookups)}`)

  const clients: Array<RawClient> = []
  const port = (i: number) => broker.nodes[i % broker.nodes.length]!.tcpPort
  const logIn = async (i: number) => {
    const client = await openRaw({ kind: "tcp", port: port(i) })
    const refused = await client.login((identities[i] as Identity).brokerLogin)
    if (refused === undefined) {
      clients[i] = client
      return true
    }
    client.close()
    return false
  }
  /** As clients do, with a pause that grows after a login that was not answered; gives how often that was. */
  const keepLoggingIn = async (i: number) => {
    let failed = 0
    for (let pause = 250; !(await logIn(i).catch(() => false)); pause = Math.min(2 * pause, 2_000)) {
      if (++failed > 50) throw new Error("a login is refused for good")
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())))
    }
    return failed
  }
  const logins = await measure(active, 32, keepLoggingIn)
  say(`  logins                    ${JSON.stringify(logins)}`)
  const connected = { brokerMemory: await brokerMemory(), chatMemory: servers.map(({ child }) => memory(child.pid)) }

  const sent = await measure(sends, 128, async (i) => {
    const to = (identities[(i * 7 + 1) % active] as Identity).key.hex
    const header = headerBlock(`Kez-Id: ${kezId()}`)
    const frame = randomBytes(frameBytes)
    const { payload } = await (clients[i % active] as RawClient).request(`kez.inbox.${to}`, frame, header)
    if (payload.toString() !== '{"ok":1}') throw new Error(`a send was answered ${payload.toString()}`)
  })
  say(`  sends, 128 at a time      ${JSON.stringify(sent)}`)

  for (const client of clients) client.close()
  const storms: Array<number> = []
  for (let storm = 0; storm < 3; storm++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const began = performance.now()
    const failures = await Promise.all(identities.map((_, i) => keepLoggingIn(i)))
    const failed = failures.reduce((sum, n) => sum + n, 0)
    storms.push(Math.round(performance.now() - began))
    say(`  ${active} reconnects at once    ${storms.at(-1)} ms, ${failed} logins repeated`)
    for (const client of clients) client.close()
  }

  // SQLite's write-ahead logs are gone with their servers.
  await Promise.all([...servers, sig].map((server) => server.stop()))
  const found = {
    kind,
    accounts,
    startMillis: { listening: first.listening, healthy: first.healthy },
    empty,
    idle,
    connected,
    registered,
    chains,
    filled,
    lookups,
    logins,
    sent,
    reconnects: { count: active, millis: storms },
    diskBytes: {
      perAccount: Math.round(((await sizeOf("chat")) - emptyBytes.chat) / accounts),
      perChain: Math.round(((await sizeOf("sig")) - emptyBytes.sig) / registering),
      perFrame: Math.round(streamBytes),
      frame: frameBytes
    }
  }
  say(JSON.stringify(found, undefined, 2))
  await broker.stop()
  await postgres?.[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
  return found
}

const machine = { cores: cpus().length, model: cpus()[0]?.model, loadBefore: round(loadavg()[0] ?? 0) }
say(`${accounts} accounts; ${machine.cores} cores, ${machine.model}; load before: ${machine.loadBefore}`)
const rows = await makeRows(Math.max(0, accounts - active))
const results = [
  await capacity("SQLite, one nats-server", rows),
  await capacity("PostgreSQL, three nats-servers", rows)
]
const sizes = { date: new Date().toISOString(), machine: { ...machine, loadAfter: round(loadavg()[0] ?? 0) }, results }
if (typeof values["sizes"] === "string") writeFileSync(values["sizes"], `${JSON.stringify(sizes, undefined, 2)}\n`)

for (const { diskBytes: disk, kind, ...found } of results) {
  const rate = (name: string, { p50, p99, perSecond }: typeof found.logins): Figure => ({
    name,
    value: perSecond,
    unit: "a second",
    against: `p50 ${p50}, p99 ${p99} ms`
  })
  report(`Capacity: ${accounts} accounts, ${kind}`, [
    rate("registrations", found.registered),
    rate("first events of chains", found.chains),
    rate("lookups", found.lookups),
    rate("logins", found.logins),
    rate("sends", found.sent),
    {
      name: "reconnect",
      value: Math.max(...found.reconnects.millis),
      unit: "ms",
      against: `${active} clients at once, the slowest of ${found.reconnects.millis.length}`
    },
    { name: "start to healthy", value: found.startMillis.healthy, unit: "ms", against: "with all accounts" },
    { name: "chat-server, idle", value: found.idle.chatMemory[0] ?? Number.NaN, unit: "MiB", against: "one of them" },
    { name: "sig-server, idle", value: found.idle.sigMemory, unit: "MiB", against: "" },
    { name: "brokers, connected", value: found.connected.brokerMemory, unit: "MiB", against: `${active} clients` },
    { name: "an account", value: disk.perAccount, unit: "bytes", against: "on disk" },
    { name: "a chain", value: disk.perChain, unit: "bytes", against: "on disk" },
    { name: "a frame", value: disk.perFrame, unit: "bytes", against: `on disk, of ${disk.frame}` }
  ])
}
