/** A home is lost with its whole folder and comes back from a backup; the clients carry on by themselves. */
import { MemoryVault } from "@kez-chat/sdk/memory"
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Vault } from "@kez-chat/sdk/services"
import { Layer } from "effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { account, bytesOf, put, signed } from "../kits/Manifests.ts"
import { get, run, type Running, temporaryFolder } from "../kits/Servers.ts"
import { until } from "../kits/TestBroker.ts"

const command = async (...args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await run("chat-server", args)
  return { code, said: stdout + stderr }
}

const done = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { code, said } = await command(...args)
  expect([code, said]).toEqual([0, expect.any(String)])
  return said
}

it("brings back accounts, chains, manifests, invites and mail, each message once", async () => {
  using folder = temporaryFolder()
  const at = (name: string) => join(folder.path, name)
  const data = at("home")
  const flags = { init: ["--stream-partitions", "2"], chat: ["--stream-partitions", "2"] }
  let home = await startHome({ data, source: true, flags })
  const { ports, urls } = home
  const again = (only?: "nats"): Promise<Home> => startHome({ data, ports, source: true, flags, only })
  const person = async (name: string) => {
    const vault = Layer.succeed(Vault, MemoryVault.make())
    const open = () => openNode({ home: urls.home, dir: at(name), vault })
    const client = await open()
    await client.create({ handle: name, words: Mnemonic.generate(randomBytes(32)) })
    return { client, open }
  }
  const alice = (await person("alice")).client
  const bobs = await person("bob")
  const [registry, keys] = [
    ["--db", join(data, "chat.sqlite")],
    ["--keys-dir", join(data, "keys"), "--nats-url", urls.nats]
  ]
  const everything = [
    ...registry,
    ...keys,
    "--sig-db",
    join(data, "sig.sqlite"),
    "--nats-conf",
    join(data, "nats.conf")
  ]
  await done("admin", "invite", "create", ...registry, "--uses", "5", "--note", "choir")
  const invites = await done("admin", "invite", "list", ...registry, "--json")
  const shared = await account({ url: urls.home } as Running)
  const { body: manifest } = await signed(shared, 1)
  expect((await put(shared.url, manifest)).status).toBe(201)

  await alice.addContact("bob")
  await bobs.client.addContact("alice")
  await alice.send("bob", "delivered before")
  const texts = async (client: typeof alice, who: string) => (await client.history(who)).map(({ text }) => text)
  await until("bob has it", async () => (await texts(bobs.client, "alice")).includes("delivered before"), 60_000)
  await bobs.client.close()
  await alice.send("bob", "waits for bob")
  await alice.flush()
  const chain = await get(`${urls.sigServer}/v1/sigchains/ed25519/${(await alice.account()).primary.slice(8)}`)

  const older = at("older.tar")
  await done("backup", older, ...everything)
  // A backup, tried in every way that must not work first.
  const archive = at("home.tar.zst")
  expect((await command("backup", at("home.zip"), ...everything)).said).toContain("must end in")
  expect((await command("backup", archive, ...everything, "--nats-url", "nats://127.0.0.1:1")).said).toContain(
    "--no-mail"
  )
  const notes = at("my notes.txt")
  writeFileSync(notes, "")
  expect((await command("backup", archive, ...everything, "--also", notes)).said).toContain("under another")
  expect(existsSync(archive)).toBe(false)
  const killed = spawn(process.execPath, [await bundled("chat-server"), "backup", archive, ...everything])
  await until("it has begun", async () => existsSync(`${archive}.kez-partial`))
  killed.kill("SIGKILL")
  expect(await done("backup", archive, ...everything)).toContain(" messages")
  expect(statSync(archive).mode & 0o777).toBe(0o600)
  expect((await command("backup", archive, ...everything)).said).toContain("exists")
  expect(readdirSync(folder.path).filter((name) => name.includes("partial"))).toEqual([])
  expect(await done("backup", "--verify", archive)).toContain("as it was written")
  expect(await done("admin", "audit", ...registry)).toMatch(/backup.*home\.tar\.zst/)

  // All is lost at once. Alice's client stays, and is told nothing.
  await Promise.all(Object.values(home.processes).map((process) => process.kill("SIGKILL")))
  await home.stop()
  rmSync(data, { recursive: true })

  const damaged = at("damaged.tar.zst")
  writeFileSync(damaged, readFileSync(archive).subarray(0, -200))
  expect((await command("restore", damaged, "--data", data)).code).toBe(1)
  expect(existsSync(data)).toBe(false)
  mkdirSync(data)
  appendFileSync(join(data, "something"), "x")
  expect((await command("restore", archive, "--data", data)).said).toContain("not empty")
  rmSync(data, { recursive: true })
  const interrupted = spawn(process.execPath, [await bundled("chat-server"), "restore", archive, "--data", data])
  await until("it has begun", async () => existsSync(`${data}.kez-partial`) || existsSync(data))
  interrupted.kill("SIGKILL")
  if (!existsSync(data)) await done("restore", archive, "--data", data)
  expect(readdirSync(join(data, "keys")).map((name) => statSync(join(data, "keys", name)).mode & 0o777)).toEqual(
    expect.arrayContaining([0o600])
  )

  home = await again("nats")
  expect(await done("restore", archive, "--mail", ...keys)).toContain("messages are back")
  // Repeated, after an interruption for one, it leaves alone what is there; another archive finds the place taken.
  expect(await done("restore", archive, "--mail", ...keys)).toContain("messages are back")
  expect((await command("restore", older, "--mail", ...keys)).said).toContain("exists already")
  await home.stop()
  home = await again()
  try {
    expect(await done("admin", "invite", "list", ...registry, "--json")).toBe(invites)
    expect(Buffer.from(await bytesOf(shared.url))).toEqual(Buffer.from(manifest))
    const restored = await get(`${urls.sigServer}/v1/sigchains/ed25519/${(await alice.account()).primary.slice(8)}`)
    expect(restored.text).toBe(chain.text)
    const bob = await bobs.open()
    await alice.send("bob", "after the loss")
    await until("bob has it all", async () => (await texts(bob, "alice")).includes("after the loss"), 60_000)
    await bob.send("alice", "still here")
    await until("alice has it", async () => (await texts(alice, "bob")).includes("still here"), 60_000)
    expect((await texts(bob, "alice")).toSorted()).toEqual([
      "after the loss",
      "delivered before",
      "still here",
      "waits for bob"
    ])
    expect((await texts(alice, "bob")).toSorted()).toEqual([
      "after the loss",
      "delivered before",
      "still here",
      "waits for bob"
    ])
    await Promise.all([alice.close(), bob.close()])
  } finally {
    await home.stop()
  }
})
