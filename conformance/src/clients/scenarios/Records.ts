/** Records of handles that lie, and HTTP answers that are late, endless, packed, redirected or of another type. */
import { gzipSync } from "node:zlib"
import type { ServerResponse } from "node:http"
import { isRefused } from "../Client.ts"
import { equals, holds } from "../Expect.ts"
import { group } from "../Scenario.ts"
import type { Stage } from "../Stage.ts"
import { json, problem, type Raw, type Reply } from "../world/HttpHost.ts"
import type { Person } from "../world/Person.ts"
import type { World } from "../world/World.ts"

const lookup = /^GET \/v1\/(?:u|by-primary)\//

interface Lie {
  readonly id: string
  readonly why: string
  readonly record: (world: World, bob: Person, mallory: Person) => unknown
}

const endpoint = (one: Person, change: object = {}) => ({
  protocol: "nats",
  url: "nats://127.0.0.1:4222",
  inbox: `kez.inbox.${one.keys.hex}`,
  ...change
})

/** Records for bob that a client must not use. */
const lies: ReadonlyArray<Lie> = [
  {
    id: "other-primary",
    why: "the record names another key than the registration",
    record: ({ home }, bob, mallory) => home.record(bob.registration(), { primary: mallory.primary })
  },
  {
    id: "other-handle",
    why: "the registration is of another handle of the same key",
    record: ({ home }, bob) => home.record(bob.registration({ handle: "robert" }), { handle: bob.handle })
  },
  {
    id: "other-server",
    why: "the registration is for another server",
    record: ({ home }, bob) => home.record(bob.registration({ server: "other.test" }))
  },
  {
    id: "forged",
    why: "the registration bears a signature over something else",
    record: ({ home }, bob) => {
      const registration = bob.registration()
      return home.record({ ...registration, signature: bob.registration({ handle: "robert" }).signature })
    }
  },
  {
    id: "signed-by-another",
    why: "the registration of bob's key is signed by mallory",
    record: ({ home }, bob, mallory) =>
      home.record(mallory.keys.sign("handle_registration", bob.registration().payload))
  },
  {
    id: "statement-of-another-kind",
    why: "a deletion stands where the registration should",
    record: ({ home }, bob) =>
      home.record(bob.keys.sign("handle_deletion", { ...bob.registration().payload, type: "kez.chat.handle_deletion" }))
  },
  {
    id: "no-registration",
    why: "the record has no registration",
    record: ({ home }, bob) => home.record(bob.registration(), { registration: undefined })
  },
  {
    id: "foreign-endpoint",
    why: "an endpoint of the record is somebody else's inbox",
    record: ({ home }, bob, mallory) => home.record(bob.registration(), { endpoints: [endpoint(mallory)] })
  },
  {
    id: "many-endpoints",
    why: "the record has 17 endpoints",
    record: ({ home }, bob) =>
      home.record(bob.registration(), {
        endpoints: Array.from({ length: 17 }, (_, index) => endpoint(bob, { url: `nats://127.0.0.1:${5_000 + index}` }))
      })
  },
  {
    id: "small-order-key",
    why: "the record names a key that is not admitted",
    record: ({ home }, bob) => home.record(bob.registration(), { primary: `ed25519:01${"00".repeat(31)}` })
  },
  { id: "array", why: "an array", record: () => [] },
  { id: "null", why: "null", record: () => null }
]

/** Texts that are no strict JSON, made of a good record. */
const texts: Readonly<Record<string, (good: string) => string>> = {
  "twice-named": (good) => good.replace("{", `{"handle":"mallory@home.test",`),
  "byte-order-mark": (good) => `\u{feff}${good}`,
  "trailing-text": (good) => `${good} {}`,
  "float-number": (good) => good.replace(`"version":1`, `"version":1.0`),
  proto: (good) => good.replace("{", `{"__proto__":{},`)
}

const text = (body: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  headers: { "content-type": "application/json", ...headers },
  body
})

/** Writes without end, until the reader hangs up or a limit is reached. */
const endless =
  (written: { bytes: number }, headers: Readonly<Record<string, string>> = {}): Raw =>
  (response) => {
    response.writeHead(200, { "content-type": "application/json", ...headers })
    const piece = Buffer.alloc(65_536, 32)
    const write = (): void => {
      while (!response.destroyed && written.bytes < 256 * 1_048_576) {
        written.bytes += piece.length
        if (!response.write(piece)) return void response.once("drain", write)
      }
      response.destroy()
    }
    write()
  }

/** A byte now and then. */
const dripping = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" })
  const timer = setInterval(() => void (response.destroyed ? clearInterval(timer) : response.write(" ")), 700)
  response.on("close", () => clearInterval(timer))
}

/** Looking bob up fails, and works when the home answers right again. */
const refusesThenWorks = async (stage: Stage, reply: Reply | Raw, ...codes: ReadonlyArray<string>): Promise<number> => {
  const { world } = stage
  const bob = world.person("bob")
  const alice = await stage.opened()
  const restore = world.home.http.when(lookup, () => reply)
  const began = Date.now()
  const answer = await alice.tries("client.add", { who: bob.handle })
  const millis = Date.now() - began
  holds(
    isRefused(answer) && (codes.length === 0 || codes.includes(answer.code)),
    `client.add must be refused${codes.length > 0 ? ` with ${codes.join(" or ")}` : ""}`,
    answer
  )
  equals(await alice.contacts(), [], "the contacts")
  restore()
  await alice.add(bob.handle)
  return millis
}

export const records = group("records", [
  ...lies.map(({ id, record, why }) => ({
    id,
    requirements: ["KEZ-REG-022"],
    why: `${why}: refused`,
    run: async (stage: Stage) => {
      const { world } = stage
      const mallory = world.person("mallory")
      const bob = world.person("bob")
      const alice = await stage.opened()
      world.home.http.when(lookup, () => json(record(world, bob, mallory)))
      await alice.refuses("client.add", { who: bob.handle })
      equals(await alice.contacts(), [], "the contacts")
    }
  })),
  ...lies.slice(0, 5).map(({ id, record, why }) => ({
    id: `known-${id}`,
    requirements: ["KEZ-REG-022", "KEZ-REG-023"],
    why: `${why}, for a contact that is known: it is no evidence, and nothing changes`,
    run: async (stage: Stage) => {
      const { alice, bob, world } = await stage.pair()
      const mallory = world.person("mallory")
      world.home.http.when(lookup, () => json(record(world, bob, mallory)))
      await alice.tries("client.refresh", { who: bob.primary })
      const contact = await alice.contact(bob.primary)
      equals([contact?.state, contact?.primary], ["accepted", bob.primary], "state and key")
    }
  })),
  ...Object.entries(texts).map(([id, change]) => ({
    id: `text-${id}`,
    requirements: ["KEZ-CAN-005", "KEZ-CAN-006", "KEZ-CAN-007", "KEZ-CAN-008"],
    why: "a record that is no strict JSON is refused",
    run: async (stage: Stage) => {
      const { home } = stage.world
      const bob = stage.world.person("bob")
      await refusesThenWorks(stage, text(change(JSON.stringify(home.record(bob.registration())))))
    }
  })),
  {
    id: "media-type",
    requirements: ["KEZ-CAN-014"],
    why: "the media type of an answer says nothing: a record as text/html is a record",
    run: async (stage) => {
      const { world } = stage
      const bob = world.person("bob")
      const alice = await stage.opened()
      world.home.http.when(lookup, (usual) => ({ ...usual, headers: { "content-type": "text/html; charset=utf-16" } }))
      const { primary } = await alice.add(bob.handle)
      equals(primary, bob.primary, "the key of the contact")
    }
  },
  {
    id: "no-media-type",
    requirements: ["KEZ-CAN-014"],
    why: "a record without a media type is a record",
    run: async (stage) => {
      const { world } = stage
      const bob = world.person("bob")
      const alice = await stage.opened()
      world.home.http.when(lookup, ({ body = "", status }) => ({ status, body }))
      await alice.add(bob.handle)
    }
  },
  {
    id: "redirected",
    requirements: ["KEZ-REG-024"],
    why: "the home sends the client elsewhere for the record: it does not go there",
    run: async (stage) => {
      const { elsewhere } = stage.world
      await refusesThenWorks(stage, { status: 302, headers: { location: `${elsewhere.url}/v1/u/bob` } })
      equals(elsewhere.connections, 0, "how often the client went elsewhere")
    }
  },
  {
    id: "reserved",
    requirements: ["KEZ-REG-043"],
    why: "looking for somebody, `handle_reserved` is as good as `handle_not_found`",
    run: async (stage) => {
      const alice = await stage.opened()
      const restore = stage.world.home.http.when(lookup, () => problem(403, "handle_reserved"))
      const reserved = await alice.refuses("client.add", { who: "admin@home.test" })
      restore()
      const free = await alice.refuses("client.add", { who: "nobody@home.test" })
      equals(reserved.code, free.code, "the code for a reserved handle")
    }
  },
  {
    id: "gone",
    requirements: ["KEZ-REG-020", "KEZ-ERR-002"],
    why: "a handle that does not exist and one that was deleted cannot be added",
    run: async (stage) => {
      const alice = await stage.opened()
      await alice.refuses("client.add", { who: "nobody@home.test" }, "handle_not_found")
      stage.world.home.deleted.add("gone")
      await alice.refuses("client.add", { who: "gone@home.test" }, "handle_deleted", "handle_not_found")
    }
  },
  {
    id: "of-another-server",
    requirements: ["KEZ-REG-024", "KEZ-SIG-116"],
    why: "a handle of another server is not answered by the own home, nor does the client send there",
    run: async (stage) => {
      const { world } = stage
      world.person("bob")
      const alice = await stage.opened()
      await alice.tries("client.add", { who: "bob@other.invalid" })
      const contact = (await alice.contacts()).find(({ handle }) => handle === "bob@other.invalid")
      equals(contact, undefined, "a contact of another server, from the answers of the own home")
    }
  },
  {
    id: "endless",
    requirements: ["KEZ-CAN-010"],
    why: "an answer without end is cut off by the client",
    run: async (stage) => {
      const written = { bytes: 0 }
      await refusesThenWorks(stage, endless(written))
      holds(written.bytes < 64 * 1_048_576, "the client read on and on", written.bytes)
    }
  },
  {
    id: "bomb",
    requirements: ["KEZ-CAN-015", "KEZ-CAN-010"],
    why: "an answer that unpacks to 512 MiB is cut off at the limit of what is unpacked",
    run: async (stage) => {
      // Members of gzip may follow one another; one of them is packed quickly.
      const member = gzipSync(Buffer.alloc(8 * 1_048_576, 32))
      const body = Buffer.concat(Array.from({ length: 64 }, () => member))
      await refusesThenWorks(stage, {
        status: 200,
        headers: { "content-type": "application/json", "content-encoding": "gzip" },
        body
      })
    }
  },
  {
    id: "dripping",
    requirements: ["KEZ-ERR-004"],
    why: "an answer of one byte now and then does not hold the client up for ever",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      world.home.http.when(lookup, () => dripping)
      bob.send(alice.keys, "meanwhile")
      await alice.showsText(bob.handle, "meanwhile")
      const { id } = await alice.send(bob.handle, "meanwhile")
      await alice.reaches(bob.handle, id, "stored")
    }
  },
  {
    id: "encoded",
    requirements: ["KEZ-REG-045"],
    why: "requests name handle and primary in the form of a URL, and ask for the right one",
    run: async (stage) => {
      const { alice, bob, world } = await stage.pair()
      await alice.refresh(bob.handle)
      for (const { path } of world.home.http.of(lookup)) {
        holds(
          /^[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+$/.test(path),
          "a path has characters that RFC 3986 does not allow",
          path
        )
        const name = decodeURIComponent(path.split("/").at(-1) ?? "")
        holds(
          [bob.local, bob.handle, bob.primary, alice.handle, alice.local, alice.primary].includes(name),
          "another name is asked for",
          path
        )
      }
    }
  }
])
