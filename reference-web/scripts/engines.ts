/**
 * `npm run engines -w @kez-chat/web`: walks through the built page in Firefox and WebKit, with a whole home server and a
 * person at a terminal beside it. Done before a release; CI drives Chromium.
 *
 *   npm run engines -w @kez-chat/web              both
 *   npm run engines -w @kez-chat/web -- firefox   one of them
 *
 * Prints what became of each step, and keeps pictures in `dist-engines/<engine>/`. Exits with 1 if a step failed.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { bundled } from "../../deploy/local/Bundles.ts"
import { startHome } from "../../deploy/local/Home.ts"
import { freePorts } from "../../deploy/local/Ports.ts"
import { Machine } from "../../reference-cli/test/kit/Program.ts"
import { startFirefox } from "./engines/Firefox.ts"
import { startFront } from "./engines/Front.ts"
import { journey } from "./engines/Journey.ts"
import { startWebKit } from "./engines/WebKit.ts"

const root = join(import.meta.dirname, "..")
const engines = { firefox: startFirefox, webkit: startWebKit }
type Engine = keyof typeof engines

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const refuse = (sentence: string): never => {
  say(sentence)
  process.exit(1)
}

const missing = ["firefox-esr", "WebKitWebDriver", "Xvfb"].filter((program) => !existsSync(join("/usr/bin", program)))
if (missing.length > 0) refuse(`${missing.join(", ")} missing: apt-get install firefox-esr webkit2gtk-driver xvfb`)
if (!existsSync(join(root, "dist", "index.html"))) refuse("The page is not built: npm run build")

const chosen = parseArgs({ allowPositionals: true }).positionals
const wanted = (Object.keys(engines) as ReadonlyArray<Engine>).filter(
  (engine) => chosen.length === 0 || chosen.includes(engine)
)

const { home: port } = await freePorts()
const home = await startHome({
  data: mkdtempSync(join(tmpdir(), "kez-engines-")),
  ports: "auto",
  source: true,
  origins: [`http://localhost:${port}`]
})
const machine = new Machine(await bundled("kez-chat"), home.urls.home)
const front = await startFront(home.urls.home, port)

const results = new Map<string, Partial<Record<Engine, string>>>()
const versions: Partial<Record<Engine, string>> = {}
let failures = 0
try {
  for (const engine of wanted) {
    const pictures = join(root, "dist-engines", engine)
    rmSync(pictures, { recursive: true, force: true })
    const note = (name: string, result: string) => {
      say(`${engine}, ${name}: ${result}`)
      results.set(name, { ...results.get(name), [engine]: result })
    }
    await journey(
      {
        home,
        front,
        machine,
        pictures,
        start: async () => {
          const driver = await engines[engine]()
          versions[engine] = driver.version
          return driver
        },
        step: async (name, run) => {
          const started = performance.now()
          try {
            await run()
            note(name, `${((performance.now() - started) / 1000).toFixed(1)} s`)
            return true
          } catch (error) {
            failures++
            note(name, "FAILED")
            say(error instanceof Error ? error.message : String(error))
            return false
          }
        }
      },
      engine
    )
  }
} finally {
  front.close()
  await machine.remove()
  await home.remove()
}

const row = (name: string, cells: ReadonlyArray<string>) =>
  say([name.padEnd(16), ...cells.map((cell) => cell.padEnd(20))].join("").trimEnd())
row(
  "",
  wanted.map((engine) => versions[engine] ?? engine)
)
for (const [name, result] of results)
  row(
    name,
    wanted.map((engine) => result[engine] ?? "-")
  )
say(`Pictures are in ${join(root, "dist-engines")}.`)
process.exitCode = failures === 0 ? 0 : 1
