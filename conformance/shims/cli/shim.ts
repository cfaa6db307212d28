/**
 * A shim that runs `kez-chat --json`, a command for each operation of clients.
 *
 *     node shim.ts [COMMAND...]      the command that runs the CLI: kez-chat
 *
 * Each client is a profile in a folder of its own, with a `kez-chat listen` that holds its connection as a user's would.
 */
import { execFileSync } from "node:child_process"
import { createInterface } from "node:readline"
import { type Args, cli, type Output, Profile, Refused, text } from "./Profile.ts"

const contactOf = ({ cause, handle, head, kept, offered, primary, state, verified, warning }: Output): Output => ({
  primary,
  handle,
  state,
  verified,
  ...cause,
  ...(kept && { kept }),
  ...(offered && { offered }),
  ...(head && { head }),
  ...(warning && { warning })
})

const messageOf = (message: Output): Output => {
  const { direction, equivocation, failure, fork, gap, id, peer, retired, state, suspicious, type, waiting } = message
  const reason = failure ?? waiting?.reason
  return {
    id,
    peer,
    direction,
    type,
    text: message["text"],
    ...(state && { state }),
    ...(reason && { reason }),
    ...(gap !== undefined && { gap }),
    ...(equivocation && { equivocation }),
    ...(fork && { fork }),
    ...(suspicious && { suspicious }),
    ...(retired && { retired })
  }
}

type Run = (client: Profile, args: Args) => Promise<unknown>
const contact =
  (...command: ReadonlyArray<string>): Run =>
  async (client, args) =>
    contactOf((await client.json(...command, text(args, "who"))).contact)

const runs: Readonly<Record<string, Run>> = {
  "client.close": async (client) => {
    await client.close()
    return {}
  },
  // Lists of contacts and messages come after synchronising.
  "client.sync": async (client) => {
    await client.json("contacts")
    return {}
  },
  "client.connection": async (client) => client.connection,
  "client.add": contact("add"),
  "client.contacts": async (client) => {
    const [{ contacts }, { requests }] = await Promise.all([
      client.json("contacts", "--offline"),
      client.json("requests", "--offline")
    ])
    const all = [...contacts, ...requests.map((request: Output) => request["contact"])].map(contactOf)
    return [...new Map(all.map((one) => [one["primary"], one])).values()]
  },
  "client.refresh": contact("verify"),
  "client.accept": (client, args) =>
    args["primary"] === undefined
      ? contact("accept")(client, args)
      : contact("accept", "--new-key", text(args, "primary"))(client, args),
  "client.keep": contact("keep"),
  "client.confirm": async (client, args) => {
    const { contact: shown, offered } = await client.json("verify", text(args, "who"))
    if ((offered ?? shown).primary !== args["primary"])
      throw new Refused({ code: "key_refused", exit: 5, message: "that is not the key whose number is shown" })
    return contact("verify", "--confirm", "--yes")(client, args)
  },
  "client.block": contact("block"),
  "client.unblock": contact("unblock"),
  "client.safetyNumber": async (client, args) => {
    const { offered, pinned } = await client.json("verify", text(args, "who"), "--offline")
    return {
      number: pinned.safety_number,
      ...(offered && { offered: { primary: offered.primary, number: offered.safety_number } })
    }
  },
  "client.send": (client, args) => client.send(text(args, "who"), text(args, "text")),
  "client.messages": async (client, args) => {
    const pages: Array<Output> = []
    let before: number | null = null
    do {
      const page: Output = await client.json(
        "history",
        text(args, "who"),
        "--offline",
        "--limit",
        "1000",
        ...(before === null ? [] : ["--before", String(before)])
      )
      pages.unshift(...page["messages"])
      before = page["before"]
    } while (before !== null)
    return pages.map(messageOf)
  },
  "client.markRead": async (client, args) => {
    await client.json("history", text(args, "who"), "--mark-read", "--limit", "1")
    return {}
  },
  "client.trim": async (client, args) => {
    const own = args["box"] === "self"
    const { inbox } = await client.json("inbox", "--trim", ...(own ? ["--sent"] : []))
    const { limit_bytes: limit, used_bytes: used } = own ? inbox.sent : inbox.mail
    return { used, limit }
  },
  "client.manifest": async (client, args) => {
    const { files, revision } = await client.json("browse", text(args, "who"))
    const current = files.filter((file: Output) => file["replaced_by"] === undefined)
    return {
      revision,
      entries: current.map(({ folder, id, name, public: isPublic, size }: Output) => ({
        id,
        name,
        ...(folder && { folder }),
        size,
        public: isPublic
      }))
    }
  },
  "client.share": async (client, args) => {
    const readers = args["with"] as ReadonlyArray<string> | undefined
    return { entry: await client.share(text(args, "name"), Buffer.from(text(args, "bytes"), "base64url"), readers) }
  },
  "client.unshare": async (client, args) => {
    await client.json("unshare", text(args, "entry"))
    return {}
  },
  "client.publication": async (client) => {
    const { shares } = await client.json("shared")
    const reason = shares.find(({ problem }: Output) => problem)?.problem.detail
    return { published: shares.every(({ manifest }: Output) => manifest !== "pending"), ...(reason && { reason }) }
  },
  "client.serve": async (client) => {
    await client.serve()
    return {}
  },
  "client.fetch": async (client, args) => {
    const end = Date.now() + Number(args["millis"])
    const saved: Array<object> = []
    for (const entry of args["entries"] as ReadonlyArray<string>) {
      const ref = `@${text(args, "who")}/${entry}`
      const path = await client.fetch(ref, text(args, "folder"), Math.max(1, end - Date.now()))
      if (path !== undefined) saved.push({ entry, path })
    }
    return { saved }
  }
}

/** The CLI's codes as the operations of clients name them. */
const codeOf = ({ code, exit }: Refused): string => {
  if (/^(?:send|fetch)_blocked_/.test(code)) return "send_stopped"
  if (code === "transport_refused") return "refused"
  if (code.startsWith("key_") && exit === 5) return "key_refused"
  if (/^(?:server_unreachable|broker_(?!bad|size|unknown))/.test(code)) return "unreachable"
  return code.replace(/^broker_/, "")
}

const clients = new Map<string, Profile>()

const run = async (cmd: string, args: Args): Promise<unknown> => {
  const id = text(args, "id")
  if (cmd === "client.open") {
    const [client, account] = await Profile.open(args)
    clients.set(id, client)
    return account
  }
  const client = clients.get(id)
  if (client === undefined) throw new TypeError(`no client ${id} is open`)
  if (cmd === "client.close") clients.delete(id)
  return runs[cmd]!(client, args)
}

const version = execFileSync(cli.program, [...cli.first, "--version"], { encoding: "utf8" })
const start = {
  protocol: 1,
  implementation: { name: "kez-chat", version: /\d+\.\d+\.\d+\S*/.exec(version)?.[0] ?? "", language: "TypeScript" },
  profiles: ["chat", "files", "transfer"],
  ops: ["client.open", ...Object.keys(runs)],
  features: ["handedOver"]
}

const closeAll = () => Promise.all([...clients.values()].map((client) => client.close()))

const answer = async (cmd: string, args: Args): Promise<object> => {
  if (cmd === "start") return { ok: start }
  if (cmd === "stop") {
    await closeAll()
    return { ok: {} }
  }
  if (!start.ops.includes(cmd)) return { unsupported: true }
  try {
    return { ok: await run(cmd, args) }
  } catch (error) {
    if (error instanceof Refused) return { error: { code: codeOf(error), message: error.message } }
    return { internal: { message: String(error), trace: error instanceof Error ? error.stack : "" } }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { args, cmd, seq } = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ seq, ...(await answer(cmd, args)) })}\n`)
  if (cmd === "stop") break
}
// The suite has ended, also where it did not say so.
await closeAll()
