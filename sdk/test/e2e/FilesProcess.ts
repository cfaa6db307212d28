/**
 * One account in a process of its own that shares, serves and fetches, to be killed. Takes commands on standard input
 * and answers on standard output, one JSON object a line.
 *
 * usage: files-process.ts HOME FOLDER HANDLE
 */
import { createInterface } from "node:readline"
import { fetchTo, openNode, sharePath } from "@kez-chat/sdk/node"

export type Command =
  | { readonly do: "serve" }
  | { readonly do: "share"; readonly path: string; readonly with: string }
  | { readonly do: "fetch"; readonly what: string; readonly folder: string }
  | { readonly do: "memory" }
  /** Shares small public files and takes some back, waiting for each list to be published, until it is killed. */
  | { readonly do: "churn" }
  /** Waits until nothing is left to publish. */
  | { readonly do: "settle" }
  | { readonly do: "close" }

export interface Answer {
  readonly ready?: true
  readonly offered?: { readonly id: string; readonly name: string }
  readonly shared?: string
  readonly step?: { readonly state: string; readonly haveBytes: number; readonly reason?: string }
  readonly saved?: string
  /** How many changes were published before this one. */
  readonly churned?: number
  /** Names of what is shared and published, sorted. */
  readonly settled?: ReadonlyArray<string>
  readonly failed?: string
  /** Most memory this process ever had, in MiB. */
  readonly peakMiB?: number
}

const [home, dir, handle] = process.argv.slice(2) as [string, string, string]
const say = (answer: Answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)

const client = await openNode({ home, dir, passphrase: `only for ${handle}` })

const listen = async () => {
  for await (const event of client.events()) {
    if (event._tag !== "Message" || event.message.direction !== "in" || event.message.file === undefined) continue
    say({ offered: { id: event.message.id, name: event.message.file.name } })
  }
}

const obey = async (command: Command): Promise<void> => {
  switch (command.do) {
    case "serve":
      return client.serve()
    case "share": {
      const share = await sharePath(client, command.path, { with: [command.with], unlisted: true })
      return void say({ shared: share.name })
    }
    case "fetch": {
      const { path } = await fetchTo(client, command.what, {
        folder: command.folder,
        onProgress: ({ haveBytes, reason, state }) =>
          say({ step: { state, haveBytes, ...(reason === undefined ? {} : { reason }) } })
      })
      return void say({ saved: path })
    }
    case "memory":
      return void say({ peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) })
    case "churn":
      for (let n = 0; ; n++) {
        const shares = await client.shared()
        if (shares.length > 3 || (shares.length > 0 && n % 3 === 2)) await client.unshare(shares.at(-1)!.id)
        else {
          const name = `${process.pid}-${n}`
          const bytes = (async function* () {
            yield new TextEncoder().encode(name)
          })()
          await client.share({ file: { name, bytes }, public: true })
        }
        await client.flush()
        say({ churned: n })
      }
    case "settle": {
      do await client.flush()
      while ((await client.shared()).some(({ manifest }) => manifest === "pending"))
      return void say({ settled: (await client.shared()).map(({ name }) => name).sort() })
    }
    case "close":
      await client.close()
      return process.exit(0)
  }
}

void listen()
createInterface({ input: process.stdin }).on("line", (line) => {
  obey(JSON.parse(line) as Command).catch((error: unknown) => say({ failed: String(error) }))
})
say({ ready: true })
