/** What was acknowledged survives kill -9 in mid-stream, for both servers. */
import { Envelope, Sigchain } from "@kez-chat/sdk/protocol"
import { VerifiedChain } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Effect, Result } from "effect"
import { describe, expect, it } from "vitest"
import { manifestOf } from "../../../sdk/test/kits/ManifestStoreKit.ts"
import {
  deletion,
  endpointEvent,
  get,
  newIdentity,
  post,
  registration,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

const rounds = 4
const writers = 8

/** Runs writers until the server was killed under them; `enough` acknowledgements must have come first. */
const killInMidStream = async (server: Running, enough: number, write: (writer: number) => Promise<number>) => {
  let acknowledged = 0
  let killed: Promise<unknown> | undefined
  const work = async (writer: number) => {
    for (;;) {
      try {
        acknowledged += await write(writer)
      } catch (error) {
        // The connection broke off: only after the kill may that happen.
        if (killed === undefined) throw error
        return
      }
      if (acknowledged >= enough) killed ??= server.stop("SIGKILL")
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => work(writer)))
  expect(await killed).toBe("SIGKILL")
}

describe("kill -9 in mid-stream", () => {
  it("KEZ-SIG-130 loses no acknowledged sigchain event, and every chain still verifies", async () => {
    using folder = temporaryFolder()
    const identities = await Promise.all(Array.from({ length: writers }, newIdentity))
    const heads = new Map<number, Sigchain.Head>()
    for (let round = 0; round < rounds; round++) {
      const server = await startSig(folder.path)
      await killInMidStream(server, 60, async (writer) => {
        const identity = identities[writer]!
        const url = `${server.url}/v1/sigchains/ed25519/${identity.key.hex}/events`
        const answer = await post(url, await endpointEvent(identity, heads.get(writer)))
        // After a kill the last event may have been stored without its answer having come: take its head over.
        if (answer.status === 409) heads.set(writer, answer.json["head"] as Sigchain.Head)
        else heads.set(writer, answer.json as unknown as Sigchain.Head)
        return answer.status === 201 ? 1 : 0
      })
      const again = await startSig(folder.path)
      for (const [writer, head] of heads) {
        const { primary, key } = identities[writer]!
        const { text } = await get(`${again.url}/v1/sigchains/ed25519/${key.hex}`)
        const envelopes = text
          .trimEnd()
          .split("\n")
          .map((line) => Result.getOrThrow(Envelope.parse(line)))
        const chain = await Effect.runPromise(
          VerifiedChain.verify(primary, envelopes).pipe(Effect.provide(NodeCrypto.layer))
        )
        expect(chain.hashes[head.seq]).toBe(head.hash)
      }
      expect(await again.stop()).toBe(0)
    }
  })

  it("KEZ-REG-017 loses no acknowledged registration and brings no deleted handle back", async () => {
    using folder = temporaryFolder()
    const held = new Map<string, string>()
    const gone = new Set<string>()
    let names = 0
    for (let round = 0; round < rounds; round++) {
      const server = await startChat(folder.path)
      await killInMidStream(server, 60, async () => {
        const identity = await newIdentity()
        const handle = `durable${names++}`
        const answer = await post(`${server.url}/v1/register`, await registration(identity, handle))
        expect(answer.status).toBe(201)
        held.set(handle, identity.primary)
        if (names % 4 !== 0) return 1
        const deleted = await deletion(identity, handle)
        // Between sending and its answer the deletion may or may not be on disk.
        held.delete(handle)
        expect((await post(`${server.url}/v1/delete`, deleted)).status).toBe(204)
        gone.add(handle)
        return 2
      })
      const again = await startChat(folder.path)
      for (const [handle, primary] of held) {
        expect((await get(`${again.url}/v1/u/${handle}`)).json).toMatchObject({
          handle: `${handle}@localhost`,
          primary
        })
      }
      for (const handle of gone) expect((await get(`${again.url}/v1/u/${handle}`)).status).toBe(410)
      expect(await again.stop()).toBe(0)
    }
    expect(held.size).toBeGreaterThan(100)
    expect(gone.size).toBeGreaterThan(20)
  })

  it("KEZ-MAN-017 loses no acknowledged manifest and keeps the last four whole", async () => {
    using folder = temporaryFolder()
    const owners = await Promise.all(Array.from({ length: writers }, newIdentity))
    const acknowledged = owners.map(() => new Array<{ readonly body: Uint8Array; readonly hash: string }>())
    for (let round = 0; round < rounds; round++) {
      const server = await startChat(folder.path)
      const url = (writer: number, at = server) => `${at.url}/v1/manifests/ed25519/${owners[writer]!.key.hex}`
      if (round === 0) {
        for (const [n, owner] of owners.entries()) {
          const answer = await post(`${server.url}/v1/register`, await registration(owner, `manifests${n}`))
          expect(answer.status).toBe(201)
        }
      }
      let revision = round * 1_000
      await killInMidStream(server, 60, async (writer) => {
        const made = await Effect.runPromise(Effect.provide(manifestOf(owners[writer]!, ++revision), NodeCrypto.layer))
        const answer = await get(url(writer), {
          method: "PUT",
          body: new Uint8Array(made.body),
          headers: { "content-type": "application/json" }
        })
        expect(answer.status).toBe(201)
        acknowledged[writer]!.push(made)
        return 1
      })
      const again = await startChat(folder.path)
      for (const [writer, made] of acknowledged.entries()) {
        // One more may have been stored without its answer having come, and then the fourth last is gone.
        for (const { body, hash } of made.slice(-3)) {
          expect((await get(`${url(writer, again)}/${hash.slice(7)}`)).text).toBe(new TextDecoder().decode(body))
        }
      }
      expect(await again.stop()).toBe(0)
    }
  })

  it("finishes requests in flight on SIGTERM and exits 0", async () => {
    using folder = temporaryFolder()
    const server = await startChat(folder.path)
    const identities = await Promise.all(Array.from({ length: 40 }, newIdentity))
    const envelopes = await Promise.all(identities.map((identity, n) => registration(identity, `graceful${n}`)))
    const asked = envelopes.map((envelope) => post(`${server.url}/v1/register`, envelope))
    await asked[0]
    const stopped = server.stop()
    const answers = await Promise.allSettled(asked)
    expect(await stopped).toBe(0)
    // Whoever got an answer got a whole one; a connection that was not accepted any more failed cleanly.
    const created = answers.flatMap((answer, n) =>
      answer.status === "fulfilled" ? [{ n, status: answer.value.status }] : []
    )
    expect(created.every(({ status }) => status === 201)).toBe(true)
    const again = await startChat(folder.path)
    for (const { n } of created) expect((await get(`${again.url}/v1/u/graceful${n}`)).status).toBe(200)
    await again.stop()
  })
})
