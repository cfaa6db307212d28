/**
 * Registrations, logins and sends of a whole home whose servers keep their databases in SQLite, and of one with
 * PostgreSQL, in one run; and the memory of its servers when nobody uses them.
 *
 *     node --conditions=kez-source reference-server/bench/postgres.bench.ts
 */
import { readFileSync } from "node:fs"
import { median, report } from "../../sdk/bench/Report.ts"
import { type Home, startHome } from "../../deploy/local/Home.ts"
import { kezId } from "../test/kits/Account.ts"
import { startPostgres } from "../test/kits/PostgresServer.ts"
import { headerBlock, openRaw, type RawClient } from "../test/kits/RawClient.ts"
import { type Identity, newIdentity, post, registration, temporaryFolder } from "../test/kits/Servers.ts"

const rounds = 3
const accounts = 300
const sends = 3_000

/** Jobs a second, with `width` of them under way. */
const rate = async (count: number, width: number, job: (i: number) => Promise<unknown>): Promise<number> => {
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await job(next++)
    })
  )
  return count / ((performance.now() - began) / 1_000)
}

const megabytes = (pid: number | undefined): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024

const measure = async (home: Home, round: number) => {
  const identities = await Promise.all(Array.from({ length: accounts }, newIdentity))
  const envelopes = await Promise.all(identities.map((identity, n) => registration(identity, `r${round}-${n}`)))
  const registered = await rate(accounts, 16, async (n) => {
    const { status } = await post(`${home.urls.home}/v1/register`, envelopes[n])
    if (status !== 201) throw new Error(`a registration was answered ${status}`)
  })
  const clients: Array<RawClient> = []
  const loggedIn = await rate(accounts, 16, async (n) => {
    const client = await openRaw({ kind: "tcp", port: home.ports.nats })
    const refused = await client.login((identities[n] as Identity).brokerLogin)
    if (refused !== undefined) throw new Error(refused)
    clients.push(client)
  })
  const sent = await rate(sends, 128, async (n) => {
    const to = (identities[(n * 7 + 1) % accounts] as Identity).key.hex
    const header = headerBlock(`Kez-Id: ${kezId()}`)
    const { payload } = await (clients[n % accounts] as RawClient).request(`kez.inbox.${to}`, Buffer.alloc(600), header)
    if (payload.toString() !== '{"ok":1}') throw new Error(`a send was answered ${payload.toString()}`)
  })
  for (const client of clients) client.close()
  return { registered, loggedIn, sent }
}

const postgres = await startPostgres({ durable: true })
const kinds = {
  sqlite: { chat: [], sig: [] },
  postgres: {
    chat: ["--db", await postgres.create("chat")],
    sig: ["--db", await postgres.create("sig")]
  }
}
const unlimited = ["--registrations-per-hour", "0", "--reads-per-minute", "0", "--send-bytes-per-day", "1000000000000"]
const start = async (kind: keyof typeof kinds) => {
  const folder = temporaryFolder()
  const { chat, sig } = kinds[kind]
  const home = await startHome({
    data: folder.path,
    ports: "auto",
    source: true,
    flags: { chat: [...chat, ...unlimited], sig, init: ["--sync-interval", "2m"] }
  })
  return { home, folder, found: [] as Array<Awaited<ReturnType<typeof measure>>> }
}
const homes = { sqlite: await start("sqlite"), postgres: await start("postgres") }
// A server gives back what starting took, some seconds after it.
await new Promise((resolve) => setTimeout(resolve, 5_000))
const memory = Object.values(homes).map(({ home }) => ({
  chat: megabytes(home.processes.chat.pid),
  sig: megabytes(home.processes.sig.pid)
}))
for (let round = 0; round < rounds; round++) {
  for (const each of Object.values(homes)) each.found.push(await measure(each.home, round))
}
for (const { folder, home } of Object.values(homes)) {
  await home.remove()
  folder[Symbol.dispose]()
}
await postgres[Symbol.asyncDispose]()

const rows = (["registered", "loggedIn", "sent"] as const).flatMap((what) => {
  const [sqlite, other] = [homes.sqlite, homes.postgres].map(({ found }) => found.map((each) => each[what]))
  const ratio = median((other ?? []).map((value, round) => value / (sqlite?.[round] ?? Number.NaN)))
  return [
    { name: `${what}, SQLite`, value: median(sqlite ?? []), unit: "a second", against: "" },
    { name: `${what}, PostgreSQL`, value: median(other ?? []), unit: "a second", against: "on the same machine" },
    { name: `${what}, ratio`, value: ratio, unit: "", against: "paired rounds", aim: { atLeast: 0.7 } }
  ]
})
report("A home on SQLite and on PostgreSQL", [
  ...rows,
  ...memory.flatMap(({ chat, sig }, i) => [
    { name: `chat-server idle, ${Object.keys(homes)[i]}`, value: chat, unit: "MiB", against: "", aim: { atMost: 110 } },
    { name: `sig-server idle, ${Object.keys(homes)[i]}`, value: sig, unit: "MiB", against: "", aim: { atMost: 60 } }
  ])
])
