/** Logging in at a broker that is hostile, closes the connection, or was replaced. */
import type { Client } from "../Client.ts"
import { equals, holds, pause, until } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Stage } from "../Stage.ts"
import type { World } from "../world/World.ts"

const nonces: Readonly<Record<string, string | undefined>> = {
  missing: undefined,
  empty: "",
  short: "abcDEF012-_xyz",
  long: "abcDEF012-_xyz99",
  "null-byte": "abcDEF012-_xyz\u{0}",
  sign: "abcDEF012-_xyz+",
  text: "kez/nats-auth/v1"
}

/** Syncs until the client has logged in again. */
const loggedIn = (alice: Client, world: World, from: number, millis?: number) =>
  until(
    async () => {
      await alice.sync(500)
      return world.broker.logins.slice(from)
    },
    (logins) => logins.some(({ account }) => account === alice.keys.hex),
    "the client did not log in again",
    millis
  )

export const logins = group("logins", [
  ...Object.entries(nonces).map(([id, nonce]) => ({
    id: `nonce-${id}`,
    requirements: ["KEZ-NAT-002", "KEZ-NAT-001"],
    why: "a nonce that is not 15 characters of `[A-Za-z0-9_-]` is not signed",
    run: async (stage: Stage) => {
      const { alice, bob, world } = await stage.pair()
      world.broker.info = { nonce }
      world.broker.nats.dropAll()
      const { length } = world.broker.logins
      // A client may give up at once, and try again later.
      await alice.sync(1_500)
      await pause(1_000)
      const signed = world.broker.logins.slice(length).filter(({ connect }) => Boolean(connect["sig"]))
      equals(signed.length, 0, "how often the client signed for that nonce")
      world.broker.info = {}
      bob.send(alice.keys, "right again")
      await alice.shows(
        bob.handle,
        (messages) => messages.length === 1,
        "the client does not log in once the nonce is right",
        60_000
      )
    }
  })),
  {
    id: "websocket",
    requirements: ["KEZ-NAT-001", "KEZ-REG-006"],
    needs: "websocket",
    why: "the broker can be reached at its WebSocket alone: the client logs in there, and messages go both ways",
    run: async (stage) => {
      const { world } = stage
      const { broker } = world
      broker.nats.isTcpUp = false
      const bob = world.person("bob")
      const alice = await stage.client().overWebSocket().open("new")
      await alice.add(bob.handle)
      const { id } = await alice.send(bob.handle, "over the web")
      await alice.reaches(bob.handle, id, "stored")
      bob.send(alice.keys, "x".repeat(40_000))
      await alice.shows(bob.handle, (messages) => messages.length === 2, "the answer is not shown")
      equals(bob.texts, ["over the web"], "what bob received")
      const peers = broker.nats.of(alice.keys.hex)
      holds(peers.length > 0 && peers.every(({ isWeb }) => isWeb), "the client is not connected over WebSocket")
    }
  },
  {
    id: "silent-about-the-person",
    requirements: ["KEZ-NAT-006"],
    why: "the connection has an empty name and says nothing of person or device",
    run: async (stage) => {
      const { alice, world } = await stage.pair()
      await alice.sync()
      const [login] = world.broker.logins
      equals(login?.connect["name"] ?? "", "", "the name of the connection")
      for (const name of ["user", "pass", "auth_token", "jwt"])
        equals(login?.connect[name] ?? "", "", `the member ${name} of CONNECT`)
      const text = JSON.stringify(login?.connect)
      holds(!text.includes(alice.local), "CONNECT names the person", login?.connect)
    }
  },
  {
    id: "reconnects",
    requirements: ["KEZ-NAT-007"],
    why: "a connection that breaks is made anew, and what came meanwhile is shown",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      await alice.sync()
      for (const text of ["one", "two"]) {
        const { length } = world.broker.logins
        world.broker.nats.dropAll()
        bob.send(alice.keys, text)
        await alice.showsText(bob.handle, text)
        await loggedIn(alice, world, length)
      }
    }
  },
  {
    id: "does-not-hammer",
    requirements: ["KEZ-NAT-007"],
    why: "a broker that accepts nobody is tried again with growing pauses, and the user can see that it is out of reach",
    run: async (stage) => {
      const { alice, world } = await stage.pair()
      await alice.sync()
      world.broker.refusal = "Authorization Violation"
      const { length } = world.broker.logins
      world.broker.nats.dropAll()
      await pause(4_000)
      const tries = world.broker.logins.slice(length).length
      holds(tries >= 1, "the client does not try to log in again")
      holds(tries <= 12, "the client tries to log in again and again", tries)
      const state = await alice.does<{ connected: boolean }>("client.connection")
      equals(state.connected, false, "connected")
      world.broker.refusal = undefined
      await loggedIn(alice, world, world.broker.logins.length, 30_000)
    }
  },
  {
    id: "evicted",
    requirements: ["KEZ-NAT-053"],
    why: "one server closes the connection three times within a minute of login: the client waits, and says why",
    run: async (stage) => {
      const { alice, world } = await stage.pair()
      const before = () => world.broker.logins.length
      for (let time = 0; time < 3; time++) {
        const { length } = world.broker.nats.peers.size === 0 ? world.broker.logins : { length: before() - 1 }
        await loggedIn(alice, world, length, 20_000)
        await pause(150)
        for (const peer of world.broker.nats.peers) peer.drop()
        await pause(50)
      }
      await pause(500)
      const { length } = world.broker.logins
      await alice.sync(4_000)
      await pause(3_000)
      equals(world.broker.logins.length, length, "how often the client logged in, after it was closed three times")
      const { connected, reason } = await alice.does<{ connected: boolean; reason?: string }>("client.connection")
      equals(connected, false, "connected")
      holds((reason ?? "") !== "", "no reason is shown")
    }
  },
  {
    id: "violations",
    requirements: ["KEZ-NAT-005", "KEZ-NAT-017", "KEZ-NAT-001"],
    why: "the client keeps to the subjects of a user, and its replies to its own inbox prefix",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      bob.send(alice.keys, "hello")
      await alice.showsText(bob.handle, "hello")
      const { id } = await alice.send(bob.handle, "hello")
      await alice.reaches(bob.handle, id, "stored")
      await alice.does("client.block", { who: bob.handle })
      await alice.tries("client.trim", { box: "inbox" })
      await alice.sync()
      equals(world.broker.violations, [], "what the client did outside of its rights")
      for (const { account } of world.broker.logins) equals(account, alice.keys.hex, "the account that logged in")
    }
  }
])
