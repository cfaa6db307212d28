/** A client whose account rotates: the order of the steps, what goes on after a stop, and what others can do first. */
import { utf8 } from "../../crypto/Bytes.ts"
import { canonical } from "../../crypto/Canonical.ts"
import { Keys } from "../../crypto/Keys.ts"
import { sealFrame } from "../../crypto/Messages.ts"
import { type Client, isRefused } from "../../Client.ts"
import { equals, holds, until } from "../../Expect.ts"
import { group } from "../../Scenario.ts"
import type { Stage } from "../../Stage.ts"
import { problem } from "../../world/HttpHost.ts"
import type { Person } from "../../world/Person.ts"
import type { World } from "../../world/World.ts"

/** What the events of a key's chain do, as the sig-server has them; several endpoints are one thing. */
const opsOf = (world: World, keys: Keys): ReadonlyArray<unknown> =>
  (world.sig.chains.get(keys.hex) ?? [])
    .map(({ payload }) => payload["op"])
    .filter((op, index, all) => op !== "add_endpoint" || all[index - 1] !== op)

/** Whoever else has the account's words. */
const twinOf = (world: World, alice: Client): Person => {
  const twin = world.stranger(alice.local, alice.keys)
  twin.chain = world.sig.chains.get(alice.keys.hex) ?? []
  return twin
}

const frameFor = (from: Person, to: Keys, text: string) => sealFrame(to, utf8(canonical(from.write(to, text))))

/** The requests that a rotation makes, each with its number among all of them. */
const steps = (world: World, old: Keys, next: Keys) => {
  const appends = (keys: Keys) => world.sig.http.of(new RegExp(`^POST .*${keys.hex}`))
  const isRotate = ({ text }: { readonly text: string }) => text.includes('"rotate"')
  // A client may ask with a statement that the home refuses whether it would take the right one.
  const transfers = world.home.http.of(/^POST \/v1\/transfer/).filter(({ text }) => {
    const rotation = world.sig.chains.get(old.hex)?.at(-1)
    return rotation !== undefined && !text.includes("0".repeat(64)) && text.includes(next.primary)
  })
  return {
    begins: appends(next).map(({ at }) => at),
    ends: appends(old)
      .filter(isRotate)
      .map(({ at }) => at),
    transfers: transfers.map(({ at }) => at),
    logins: world.broker.logins.filter(({ account }) => account === next.hex).map(({ at }) => at)
  }
}

const offline = problem(503, "unavailable")

export const rotations = group(
  "rotations",
  [
    {
      id: "order",
      requirements: ["KEZ-SIG-200", "KEZ-SIG-118"],
      why: "the new chain begins before the old one ends, that before the handle goes over, and that before the login",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const [old, next] = [alice.keys, new Keys()]
        await alice.rotate(next)
        await alice.sync()
        equals(opsOf(world, next), ["add_endpoint"], "the chain of the new key")
        equals(opsOf(world, old), ["add_endpoint", "rotate"], "the chain of the old key")
        equals(world.home.moved.get(old.hex), next.hex, "who has the handle")
        const { begins, ends, logins, transfers } = steps(world, old, next)
        const firsts = [begins, ends, transfers, logins].map((all) => Math.min(...all))
        equals(
          firsts,
          firsts.toSorted((a, b) => a - b),
          "the order of the steps"
        )
        const { id } = await alice.send(bob.handle, "with my new key")
        await alice.reaches(bob.handle, id, "stored", "delivered")
        equals(bob.received.at(-1)?.envelope.payload["from"], next.primary, "who wrote")
      }
    },
    ...(
      [
        ["begin-lost", "the beginning of the new chain", (_: Keys, next: Keys) => next, "sig"],
        ["end-lost", "the end of the old chain", (old: Keys) => old, "sig"],
        ["transfer-lost", "the transfer", undefined, "home"]
      ] as const
    ).map(([id, what, of, host]) => ({
      id,
      requirements: ["KEZ-SIG-201"],
      why: `the answer about ${what} is lost and the client killed: it goes on with the same key, and ends one chain once`,
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const [old, next] = [alice.keys, new Keys()]
        const hex = of?.(old, next).hex
        let isLost = true
        const pattern = hex === undefined ? /^POST \/v1\/transfer/ : new RegExp(`^POST .*${hex}`)
        // What is refused was not done: a client may ask beforehand what the home has against it.
        world[host].http.when(pattern, (usual) =>
          isLost && usual.status < 300 ? (response) => void response.destroy() : usual
        )
        equals(isRefused(await alice.tries("client.rotate", { to: next.words })), true, "that the rotation failed")
        isLost = false
        alice.next = next
        await stage.kill()
        await alice.rotate(next)
        await alice.sync()
        equals(opsOf(world, old), ["add_endpoint", "rotate"], "the chain of the old key")
        equals(opsOf(world, next), ["add_endpoint"], "the chain of the new key")
        equals(world.home.moved.get(old.hex), next.hex, "who has the handle")
        await stage.kill()
        const { id } = await alice.send(bob.handle, "with my new key")
        await alice.reaches(bob.handle, id, "stored", "delivered")
      }
    })),
    {
      id: "other-words",
      requirements: ["KEZ-SIG-201"],
      why: "the home is down: before a rotate is signed another key may take the place of the new one, and none afterwards",
      run: async (stage: Stage) => {
        const { alice, world } = await stage.pair()
        const [old, first, next] = [alice.keys, new Keys(), new Keys()]
        const noChain = world.sig.http.when(/^POST /, () => offline)
        await alice.refuses("client.rotate", { to: first.words })
        noChain()
        const noTransfer = world.home.http.when(/^POST \/v1\/transfer/, (usual) =>
          usual.status < 300 ? offline : usual
        )
        world.home.handOver = () => undefined
        await alice.refuses("client.rotate", { to: next.words })
        equals(opsOf(world, old), ["add_endpoint", "rotate"], "the chain of the old key")
        await alice.refuses("client.rotate", { to: new Keys().words })
        delete (world.home as { handOver?: unknown }).handOver
        noTransfer()
        await alice.rotate(next)
        const rotation = world.sig.chains.get(old.hex)?.at(-1)?.payload["payload"] as { new_primary?: string }
        equals(rotation.new_primary, next.primary, "the key that the chain hands over to")
        equals(world.home.moved.get(old.hex), next.hex, "who has the handle")
      }
    },
    {
      id: "somebody-was-first",
      requirements: ["KEZ-SIG-202"],
      why: "somebody with the words has rotated the chain to a key of their own: the client stops, and gives nothing up",
      run: async (stage: Stage) => {
        const { alice, world } = await stage.pair()
        const thief = new Keys()
        const twin = twinOf(world, alice)
        twin.extend(twin.rotation(thief))
        const next = new Keys()
        await alice.refuses("client.rotate", { to: next.words }, "account_moved")
        equals(opsOf(world, alice.keys), ["add_endpoint", "rotate"], "the chain of the old key")
        equals(world.home.moved.size, 0, "how many keys handed a handle over")
        equals(world.home.isRegistered(next.hex), false, "that the new key has the handle")
      }
    },
    {
      id: "old-mail",
      requirements: ["KEZ-SIG-203", "KEZ-NAT-125"],
      why: "mail that came for the old key and was not fetched is shown after the rotation and a kill",
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        const old = alice.keys
        bob.send(old, "before")
        await alice.showsText(bob.handle, "before")
        world.broker.storeQuietly(old.hex, frameFor(bob, old, "on its way"))
        await alice.rotate(new Keys())
        await stage.kill()
        await alice.showsText(bob.handle, "on its way")
        holds((await alice.texts(bob.handle)).includes("before"), "what was shown before the rotation is lost")
      }
    },
    {
      id: "former-words",
      requirements: ["KEZ-SIG-204"],
      why: "an account is restored with the words of its former key: old mail is shown, and a stranger's words are refused",
      run: async (stage: Stage) => {
        const { world } = await stage.pair().then(({ alice, ...rest }) => alice.close().then(() => rest))
        const bob = world.people.find(({ local }) => local === "bob")!
        const old = world.person("carol")
        bob.send(old.keys, "to the old key")
        const next = old.handOver()
        bob.send(next.keys, "to the new key")
        const fresh = stage.client("carol", next.keys)
        await fresh.refuses("client.open", { ...fresh.opening(), former: [new Keys().words] }, "rotation_refused")
        const carol = stage.client("carol", next.keys, "carol-again")
        carol.former.push(old.keys)
        await carol.open()
        await carol.showsText(bob.primary, "to the new key")
        await carol.showsText(bob.primary, "to the old key")
      }
    },
    ...[false, true].map((silently) => ({
      id: silently ? "other-device-silent" : "other-device",
      requirements: ["KEZ-SIG-205"],
      why: `another device ${silently ? "handed the handle over without a word in the chain" : "rotated"}: nothing more is sent, what waits is kept, and the user is told`,
      run: async (stage: Stage) => {
        const { alice, bob, world } = await stage.pair()
        world.broker.answers.send = () => ({ e: "retry" })
        const { id } = await alice.send(bob.handle, "waits")
        await alice.sync(500)
        const twin = twinOf(world, alice)
        twin.handOver(new Keys(), { silently })
        delete world.broker.answers.send
        await until(
          async () => {
            await alice.sync(1_000)
            return alice.tries("client.send", { who: bob.handle, text: "must not go out" })
          },
          (answer) => isRefused(answer) && answer.code === "account_moved",
          "the user is not told that another key has the handle"
        )
        await stage.kill()
        const before = world.broker.of("send").length
        await alice.refuses("client.send", { who: bob.handle, text: "must not go out" }, "account_moved")
        await alice.sync(1_000)
        equals(world.broker.of("send").length, before, "how many frames were sent after the handover")
        equals(bob.texts, [], "what arrived")
        equals((await alice.messages(bob.handle)).find((one) => one.id === id)?.state, "queued", "what waited")
      }
    }))
  ].map((one) => ({ ...one, needs: "rotates" as const }))
)
