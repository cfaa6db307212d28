/** The stage of tests that run whole commands: a home server, and a machine of one user. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { Machine } from "./Program.ts"

export interface Scene {
  readonly home: Home
  readonly machine: Machine
}

export interface SceneOptions {
  /** More flags of the home's servers. */
  readonly flags?: NonNullable<Parameters<typeof startHome>[0]["flags"]>
  /** The URL that the machine uses for the home, where something stands between them. */
  readonly front?: (home: Home) => Promise<string>
}

/** Sets the stage before all tests of a block and removes it afterwards. `prepare` receives it when it is ready. */
export const useScene = (
  prepare: (scene: Scene) => void | Promise<void>,
  { flags, front }: SceneOptions = {}
): void => {
  let home: Home | undefined
  let machine: Machine | undefined

  beforeAll(async () => {
    const data = fs.mkdtempSync(path.join(os.tmpdir(), "kez-scene-"))
    home = await startHome({ data, ports: "auto", source: true, ...(flags === undefined ? {} : { flags }) })
    machine = new Machine(await bundled("kez-chat"), front === undefined ? home.urls.home : await front(home))
    await prepare({ home, machine })
  }, 180_000)

  afterAll(async () => {
    await machine?.remove()
    await home?.remove()
  })
}
