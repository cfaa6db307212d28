/** The operations of clients, as the SDK's promise client has them: docs/client-operations.md. */
import { MemoryVault } from "@kez-chat/sdk/memory"
import { fetchTo, openNode } from "@kez-chat/sdk/node"
import type { Contact, KezChatClient, Message } from "@kez-chat/sdk/promise"
import { FileName, Mnemonic } from "@kez-chat/sdk/protocol"
import { Vault } from "@kez-chat/sdk/services"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { basename, relative } from "node:path"
import { Readable } from "node:stream"
import type { Response } from "../shim/Protocol.ts"
import { openOverWebSocket } from "./OverWebSocket.ts"

type Args = Readonly<Record<string, unknown>>
type Run = (client: KezChatClient, args: Args) => Promise<unknown>

const text = (args: Args, name: string): string => {
  const value = args[name]
  if (typeof value !== "string") throw new TypeError(`the request has no ${name}`)
  return value
}

const contactOf = ({ cause, handle, head, kept, offered, primary, state, verified, warning }: Contact) => ({
  primary,
  handle,
  state,
  verified,
  ...cause,
  ...(kept && { kept }),
  ...(offered && { offered }),
  ...(head && { head }),
  ...(warning !== undefined && { warning })
})

const messageOf = (message: Message) => {
  const { direction, equivocation, failure, fork, gap, id, peer, retired, state, suspicious, type, waiting } = message
  const reason = failure ?? waiting?.reason
  return {
    id,
    peer,
    direction,
    type,
    text: message.text,
    ...(state && { state }),
    ...(reason !== undefined && { reason }),
    ...(gap !== undefined && { gap }),
    ...(equivocation && { equivocation }),
    ...(fork && { fork }),
    ...(suspicious && { suspicious }),
    ...(retired && { retired })
  }
}

const history = async (client: KezChatClient, who: string) => {
  const found: Array<Message> = []
  for (;;) {
    const after = found.at(-1)?.order ?? 0
    const page = await client.history(who, { after, limit: 500 })
    if (page.length === 0) return found
    found.push(...page)
  }
}

const entryOf = (who: string, entry: string) => `@${who}/${entry}`

/** Saves a file; one whose name is taken gets another, as files of one name may come together. */
const save = async (
  client: KezChatClient,
  ref: string,
  place: { readonly folder: string; readonly signal: AbortSignal }
): Promise<string> => {
  let taken: string | undefined
  for (let number = 1; ; number++) {
    try {
      const other = taken === undefined ? {} : { name: FileName.numbered(taken, number) }
      const { path } = await fetchTo(client, ref, { ...place, ...other })
      return relative(place.folder, path)
    } catch (error) {
      const { _tag, path, reason } = error as {
        readonly _tag?: string
        readonly path: string
        readonly reason?: string
      }
      if (_tag !== "FileError" || reason !== "exists") throw error
      taken ??= basename(path)
    }
  }
}

const runs: Readonly<Record<string, Run>> = {
  "client.sync": async (client, args) => {
    const signal = AbortSignal.timeout(Number(args["millis"]))
    try {
      // What arrived may give reason to send.
      await client.sync({ signal })
      await client.flush({ signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
    return {}
  },
  "client.connection": async (client) => {
    for await (const state of client.connection())
      return {
        connected: state._tag === "Online",
        ...(state._tag === "Offline" && { reason: state.error.message })
      }
    return { connected: false }
  },
  "client.add": async (client, args) => contactOf(await client.addContact(text(args, "who"))),
  "client.contacts": async (client) => (await client.contacts()).map(contactOf),
  "client.refresh": async (client, args) => contactOf(await client.refreshContact(text(args, "who"))),
  "client.accept": async (client, args) => {
    const who = text(args, "who")
    const accepted = args["primary"] === undefined ? client.accept(who) : client.acceptKey(who, text(args, "primary"))
    return contactOf(await accepted)
  },
  "client.keep": async (client, args) => contactOf(await client.keepKey(text(args, "who"))),
  "client.confirm": async (client, args) =>
    contactOf(await client.confirmKey(text(args, "who"), text(args, "primary"))),
  "client.block": async (client, args) => contactOf(await client.block(text(args, "who"))),
  "client.unblock": async (client, args) => contactOf(await client.unblock(text(args, "who"))),
  "client.safetyNumber": async (client, args) => {
    const { offered, pinned } = await client.verification(text(args, "who"))
    return {
      number: pinned.safetyNumber,
      ...(offered && {
        offered: {
          primary: offered.primary,
          ...(offered.safetyNumber !== undefined && { number: offered.safetyNumber })
        }
      })
    }
  },
  "client.send": async (client, args) => {
    const { id, state } = await client.send(text(args, "who"), text(args, "text"))
    return { id, state }
  },
  "client.messages": async (client, args) => (await history(client, text(args, "who"))).map(messageOf),
  "client.markRead": async (client, args) => {
    await client.markRead(text(args, "who"))
    return {}
  },
  "client.trim": async (client, args) => {
    const usage = await client.trim(args["box"] === "self" ? "sent" : "mail")
    const { limit, used } = args["box"] === "self" ? usage.sent : usage.mail
    return { used, limit }
  },
  "client.clock": async (_, args) => {
    const now = Date.now
    const forward = Number(args["forward"]) * 1_000
    Date.now = () => now() + forward
    return {}
  },
  "client.trimItself": async (client, args) => {
    await client.updateSettings({ autoTrim: args["on"] === true })
    return {}
  },
  "client.inbox": async (client, args) => {
    const inbox = text(args, "from") as "contacts" | "everyone" | "proven"
    await client.updateSettings({ inbox, introductions: args["introductions"] === true })
    return {}
  },
  "client.held": async (client) => (await client.held()).map(({ messages, primary }) => ({ messages, primary })),
  "client.rotate": async (client, args) => {
    const rotate = async () => {
      for await (const { step } of client.rotate(text(args, "to"))) if (step === "finished") return
    }
    // It may be completed by itself in the moment that it is asked for.
    await rotate().catch((error: { readonly _tag?: string }) => {
      if (error._tag !== "RotationRefused") throw error
      return rotate()
    })
    return { primary: (await client.account()).primary }
  },
  "client.manifest": async (client, args) => {
    const { files, revision } = await client.browse(text(args, "who"))
    const current = files.filter(({ replacedBy }) => replacedBy === undefined)
    return {
      revision,
      entries: current.map(({ folder, id, name, public: isPublic, size }) => ({
        id,
        name,
        ...(folder !== undefined && { folder }),
        size,
        public: isPublic
      }))
    }
  },
  "client.share": async (client, args) => {
    const bytes = Buffer.from(text(args, "bytes"), "base64url")
    const readers = args["with"] as ReadonlyArray<string> | undefined
    const share = await client.share({
      file: { name: text(args, "name"), bytes: Readable.from([bytes]) },
      ...(readers === undefined ? { public: true } : { with: readers })
    })
    return { entry: share.id }
  },
  "client.unshare": async (client, args) => {
    await client.unshare(text(args, "entry"))
    return {}
  },
  "client.publication": async (client) => {
    const shares = await client.shared()
    const reason = shares.find(({ problem }) => problem !== undefined)?.problem?.detail
    return {
      published: shares.every(({ manifest }) => manifest !== "pending"),
      ...(reason !== undefined && { reason })
    }
  },
  "client.serve": async (client) => {
    // It ends with the client.
    client.serve().catch(() => undefined)
    return {}
  },
  "client.fetch": async (client, args) => {
    const place = { folder: text(args, "folder"), signal: AbortSignal.timeout(Number(args["millis"])) }
    const saved: Array<object> = []
    for (const entry of args["entries"] as ReadonlyArray<string>) {
      try {
        saved.push({ entry, path: await save(client, entryOf(text(args, "who"), entry), place) })
      } catch (error) {
        if (!place.signal.aborted) throw error
      }
    }
    return { saved }
  }
}

const invited = (args: Args) => (args["invite"] === undefined ? {} : { invite: text(args, "invite") })

const formerly = (args: Args) =>
  args["former"] === undefined ? {} : { former: args["former"] as ReadonlyArray<string> }

const openClient = async (args: Args): Promise<KezChatClient> => {
  const words = text(args, "words")
  const seed = Redacted.make(Result.getOrThrow(Mnemonic.toSeed(words)))
  const vault = Layer.sync(Vault, () => MemoryVault.make(seed))
  const [home, dir] = [text(args, "home"), text(args, "store")]
  const client = await (args["websocket"] === true
    ? openOverWebSocket(home, dir, vault)
    : openNode({ home, dir, vault }))
  try {
    const known = await client.account().catch(() => undefined)
    if (known?.step === "published") return client
    const handle = args["handle"] === undefined ? known?.handle : text(args, "handle")
    await (handle === undefined
      ? client.restore({ words, ...formerly(args) })
      : client.create({ handle, words, ...invited(args) }))
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

/** The codes of errors that bear none of the specification. */
const codes: Readonly<Record<string, string>> = {
  ServerUnreachable: "unreachable",
  BrokerUnavailable: "unreachable",
  ContactUnknown: "contact_unknown",
  SendBlocked: "send_stopped",
  FetchBlocked: "send_stopped",
  KeyRefused: "key_refused",
  AccountMoved: "account_moved",
  RotationRefused: "rotation_refused"
}

const failureOf = (error: unknown): Omit<Response, "seq"> => {
  const {
    _tag = "",
    code,
    message,
    reason,
    stack
  } = error as Error & {
    _tag?: string
    code?: unknown
    reason?: unknown
  }
  if (typeof code === "string" && /^(?:Problem|BrokerRefused)$/.test(_tag)) return { error: { code, message } }
  if (_tag === "BlobTransportError")
    return { error: { code: reason === "refused" ? "refused" : "unreachable", message } }
  const known = codes[_tag]
  if (known !== undefined) return { error: { code: known, message } }
  return { internal: { message: `${_tag} ${message}`, ...(stack !== undefined && { trace: stack }) } }
}

export const clientOperations = ["client.open", "client.close", ...Object.keys(runs)]

/** The clients of one shim, by their names. */
export class Clients {
  readonly #open = new Map<string, KezChatClient>()

  async answer(operation: string, args: Args): Promise<Omit<Response, "seq">> {
    try {
      return { ok: await this.#run(operation, args) }
    } catch (error) {
      return failureOf(error)
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.values()].map((client) => client.close()))
    this.#open.clear()
  }

  async #run(operation: string, args: Args): Promise<unknown> {
    const id = text(args, "id")
    if (operation === "client.open") {
      const opened = await openClient(args)
      this.#open.set(id, opened)
      const { handle, primary } = await opened.account()
      return { primary, handle }
    }
    const client = this.#open.get(id)
    if (client === undefined) throw new TypeError(`no client ${id} is open`)
    if (operation !== "client.close") return runs[operation]!(client, args)
    this.#open.delete(id)
    await client.close()
    return {}
  }
}
