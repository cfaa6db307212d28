/** The environment of this process. Only this module reads it, so that tests can run commands in another. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as os from "node:os"

export class Host extends Context.Service<
  Host,
  {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly platform: NodeJS.Platform
    readonly cwd: string
    readonly homeDirectory: string
    readonly temporary: string
  }
>()("@kez-chat/cli/Host") {
  static readonly layer = Layer.sync(Host, () =>
    Host.of({
      env: process.env,
      platform: process.platform,
      cwd: process.cwd(),
      homeDirectory: os.homedir(),
      temporary: os.tmpdir()
    })
  )
}
