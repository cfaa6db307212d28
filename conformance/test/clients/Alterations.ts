/** How mutants alter answers, and what the world sees of a client. */
import type { Contact, Message } from "../../src/clients/Client.ts"
import type { World } from "../../src/clients/world/World.ts"
import type { ClientMutant } from "./MutantDriver.ts"

type Alter = NonNullable<ClientMutant["answer"]>

export const hash = `sha256:${"0".repeat(64)}`
export const otherKey = `ed25519:${"ab".repeat(32)}`

export const messages =
  (change: (all: ReadonlyArray<Message>) => ReadonlyArray<object>): Alter =>
  (answered, operation) =>
    operation === "client.messages" && Array.isArray(answered.ok)
      ? { ok: change(answered.ok as ReadonlyArray<Message>) }
      : answered

export const each = (change: (message: Message) => object): Alter => messages((all) => all.map(change))

const isContact = (value: unknown): value is Contact =>
  typeof value === "object" && value !== null && "primary" in value && "state" in value

/** Changes every contact in every answer. */
export const contacts =
  (change: (contact: Contact, world: World) => object): Alter =>
  (answered, _, __, world) => {
    const { ok } = answered
    if (isContact(ok)) return { ok: change(ok, world) }
    return Array.isArray(ok) && ok.every(isContact) && ok.length > 0
      ? { ok: ok.map((one: Contact) => change(one, world)) }
      : answered
  }

export const without = (value: object, ...names: ReadonlyArray<string>): object =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))

export const contact: Contact = { primary: otherKey, handle: "made-up@home.test", state: "accepted", verified: false }

/** What an operation answers that should have refused. */
export const successes: Readonly<Record<string, unknown>> = {
  "client.open": { primary: otherKey, handle: "made-up@home.test" },
  "client.send": { id: "AAAAAAAAAAAAAAAAAAAAAA", state: "queued" },
  "client.add": contact,
  "client.accept": contact,
  "client.confirm": contact,
  "client.rotate": { primary: otherKey },
  "client.trim": { used: 0, limit: 0 }
}

export const all = (topic: string, ...ids: ReadonlyArray<string>) => ids.map((id) => `client/${topic}#${id}`)

/** Keeps requests twenty times. */
export const manyfold = <A>(list: Array<A>) => {
  list.push = (...items) => {
    for (const item of items) for (let time = 0; time < 20; time++) list[list.length] = item
    return list.length
  }
}

export const everybody = (world: World): ReadonlyArray<string> =>
  [...world.home.handles.entries()]
    .filter(([name]) => name !== "alice")
    .map(([, { payload }]) => String(payload["primary"]).replace("ed25519:", ""))
