/** A client of growth.bench.ts in a process of its own: what a person waits for on a device that holds much. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { sharePath } from "@kez-chat/sdk/node"
import { median } from "../Report.ts"
import { now, serve } from "../chat/Party.ts"
import { type Amounts, fill, friendKey, open } from "./FilledDevice.ts"

const times = 9

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = now()
  await work()
  return now() - began
}

/** The middle of several times in milliseconds, the first one left out. */
const repeated = async (work: () => Promise<unknown>): Promise<number> => {
  await work()
  const found: Array<number> = []
  for (let n = 0; n < times; n++) found.push(await timed(work))
  return median(found)
}

/** What a person waits for, in milliseconds; and the resident memory in MiB. */
export interface Waited {
  readonly open: number
  readonly page: number
  readonly contacts: number
  readonly send: number
  readonly shared: number
  readonly share: number
  readonly rss: number
}

const openOnce = async (dir: string) => {
  const client = await open(dir)
  await client.account()
  return client
}

const commands = {
  fill: ({ amounts, dir }: { readonly dir: string; readonly amounts: Amounts }) => fill(dir, amounts),
  measure: async (dir: string): Promise<Waited> => {
    // The first one also reads the program.
    await (await openOnce(dir)).close()
    const opened: Array<number> = []
    for (let n = 0; n < 3; n++) {
      const began = now()
      const client = await openOnce(dir)
      opened.push(now() - began)
      await client.close()
    }
    const client = await openOnce(dir)
    const firstContacts = await timed(() => client.contacts())
    const file = join(dir, "shared.bin")
    writeFileSync(file, Buffer.alloc(65_536, 7))
    const result = {
      open: median(opened),
      page: await repeated(() => client.history(friendKey, { limit: 50 })),
      contacts: firstContacts,
      send: await repeated(() => client.send(friendKey, "hello")),
      shared: await timed(() => client.shared()),
      share: await repeated(() => sharePath(client, file, { with: [friendKey], unlisted: true }))
    }
    globalThis.gc?.()
    const rss = process.memoryUsage.rss() / 2 ** 20
    await client.close()
    return { ...result, rss }
  }
}
export type FullClientCommands = typeof commands

serve(commands)
