/** The operations of clients: docs/client-operations.md says what they mean, the schema what goes in and comes out. */
import { Ajv2020 } from "ajv/dist/2020.js"
import schema from "../../schemas/client.schema.json" with { type: "json" }
import type { Profile } from "../suite/Checks.ts"

export type ClientOperation = keyof typeof schema.properties

interface Described {
  readonly profile: Profile
  readonly description: string
}

const of =
  (profile: Profile) =>
  (description: string): Described => ({ profile, description })
const [chat, files, transfer] = [of("chat"), of("files"), of("transfer")]

export const clientOperations: Readonly<Record<ClientOperation, Described>> = {
  "client.open": chat(
    "opens the account in a folder; makes it, restores it or carries on making it where it is not there"
  ),
  "client.close": chat("ends a client"),
  "client.sync": chat("sends and fetches until nothing is left to do, for a bounded time"),
  "client.connection": chat("whether the client is logged in at the broker, and else why not"),
  "client.add": chat("looks a handle up and pins its key"),
  "client.contacts": chat("all contacts and message requests"),
  "client.refresh": chat("asks home server and sig-server about a contact again"),
  "client.accept": chat("accepts a message request, or the key that is offered for a contact"),
  "client.keep": chat("keeps the pinned key of a contact"),
  "client.confirm": chat("the user compared the safety number of this key"),
  "client.block": chat("blocks a contact"),
  "client.unblock": chat("takes back a block"),
  "client.safetyNumber": chat("the safety number of a contact, and that of an offered key"),
  "client.send": chat("queues a text durably"),
  "client.messages": chat("what the user is shown of a conversation or request"),
  "client.markRead": chat("the user has seen a conversation"),
  "client.trim": chat("has the home server remove what this client holds"),
  "client.clock": chat("moves the clock of the shim's clients forward: feature clock"),
  "client.trimItself": chat("the user has the client trim by itself, or not: feature trimsItself"),
  "client.inbox": chat("the user says which strangers may write: feature inboxPolicy"),
  "client.held": chat("the strangers whose messages the policy holds back: feature inboxPolicy"),
  "client.rotate": chat("rotates the account to another key, or goes on with it: feature rotates"),
  "client.manifest": files("the files that an account shares with this one"),
  "client.share": files("shares a file with contacts, or with everybody"),
  "client.unshare": files("ends a share"),
  "client.publication": files("whether readers find what is shared, and else why not"),
  "client.serve": transfer("gives what is shared to the devices of others, from now on"),
  "client.fetch": transfer("fetches listed files from their owner's device, and saves them")
}

const ajv = new Ajv2020({ strict: true, strictRequired: false }).addSchema(schema, "client")

/** What is wrong with an answer, as a sentence; undefined where it fits its schema. */
export const misfit = (operation: ClientOperation, ok: unknown): string | undefined => {
  const validate = ajv.getSchema(`client#/properties/${operation}/properties/ok`)
  if (validate === undefined || validate(ok)) return undefined
  const { instancePath, message } = validate.errors?.[0] ?? {}
  return `the answer to ${operation} does not fit its schema: ${instancePath || "it"} ${message}`
}
