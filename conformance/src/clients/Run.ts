/** Runs scenarios, several at once, each with a shim of its own for as long as it lasts. */
import { NotChecked, Violation } from "../servers/Outcome.ts"
import { type Profile, shuffled } from "../suite/Checks.ts"
import { about, type CheckResult } from "../suite/Verdict.ts"
import { type Feature, hasOperation, type Started } from "../shim/Protocol.ts"
import type { ShimOptions, ShimProcess } from "../shim/ShimProcess.ts"
import { startShim } from "../shim/Start.ts"
import type { Scenario } from "./Scenario.ts"
import { type Driver, Stage } from "./Stage.ts"
import type { World } from "./world/World.ts"

/** Every scenario is a check of this one too. */
const seedStays = "KEZ-KEY-005"

/** How long one scenario may take: so many times as long as one request. */
const scenarioPatience = 4.5
/** How often a shim that ends by itself is started again in one run. */
const restarts = 20

export interface ClientRunOptions extends ShimOptions {
  readonly seed: number
  /** How many shims work at once. */
  readonly parallel: number
  readonly profiles?: ReadonlyArray<Profile> | undefined
  readonly onResult?: ((result: CheckResult) => void) | undefined
}

/** A shim that a worker uses for one scenario after another. */
class Worker implements Driver {
  readonly #options: ShimOptions
  #shim: ShimProcess | undefined

  constructor(options: ShimOptions, shim?: ShimProcess) {
    this.#options = options
    this.#shim = shim
  }

  get isAlive(): boolean {
    return this.#shim?.isAlive === true
  }

  async ask(operation: string, args: Readonly<Record<string, unknown>>, test: string) {
    if (this.#shim === undefined) throw new Error("the shim is not started")
    return this.#shim.ask(operation, args, test)
  }

  async kill(): Promise<void> {
    await this.#shim?.kill()
  }

  async restart(): Promise<void> {
    await this.kill()
    ;[this.#shim] = await startShim(this.#options)
  }

  async stop(): Promise<void> {
    await this.#shim?.stop()
  }
}

/** Plays one scenario; `prepare` sees its world before anything happens in it. */
export const play = async (
  scenario: Scenario,
  driver: Driver,
  {
    features = [],
    prepare,
    timeoutMillis = 20_000
  }: {
    readonly features?: ReadonlyArray<Feature>
    readonly prepare?: (world: World) => void
    /** How long one request may take. */
    readonly timeoutMillis?: number
  } = {}
): Promise<CheckResult> => {
  const result = about(scenario)
  let stage: Stage | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    stage = await Stage.begin(driver, scenario.id, features)
    prepare?.(stage.world)
    const late = new Promise<never>((_, reject) => {
      const millis = scenarioPatience * timeoutMillis
      timer = setTimeout(() => {
        reject(new Violation(`the scenario did not end within ${millis / 1_000} s; --timeout gives it more`))
        // What is still asked of it ends with it.
        void driver.kill()
      }, millis)
    })
    await Promise.race([scenario.run(stage), late])
    const leak = stage.leak()
    if (leak !== undefined) return { ...result, requirements: [seedStays], verdict: "fail", message: leak }
    return { ...result, verdict: "pass" }
  } catch (error) {
    if (error instanceof NotChecked) return { ...result, verdict: error.verdict, message: error.message }
    const { actual, expected } = error instanceof Violation ? error : {}
    return {
      ...result,
      verdict: "fail",
      message: (error as Error).message,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual })
    }
  } finally {
    clearTimeout(timer)
    await stage?.end()
  }
}

/** The results in the order of the scenarios; they run in that of the seed. */
export const runClients = async (
  scenarios: ReadonlyArray<Scenario>,
  options: ClientRunOptions
): Promise<{ readonly started: Started; readonly results: ReadonlyArray<CheckResult> }> => {
  const [first, started] = await startShim(options)
  const results = new Map<string, CheckResult>()
  const settle = (result: CheckResult) => {
    results.set(result.id, result)
    options.onResult?.(result)
  }
  const claimed = started.profiles.filter((profile) => options.profiles?.includes(profile) ?? true)
  const open: Array<Scenario> = []
  for (const scenario of shuffled(scenarios, options.seed)) {
    const { needs } = scenario
    if (!claimed.includes(scenario.profile) || (needs !== undefined && started.features?.includes(needs) !== true))
      settle({ ...about(scenario), verdict: "not-applicable" })
    else if (!hasOperation(started.ops, "client.open"))
      settle({ ...about(scenario), verdict: "untestable", message: "the shim does not name client.open in its ops" })
    else open.push(scenario)
  }
  let left = restarts
  const work = async (worker: Worker) => {
    for (let scenario = open.shift(); scenario !== undefined; scenario = open.shift()) {
      if (!worker.isAlive) {
        if (left-- <= 0) {
          const message = `the shim had to be started again ${restarts} times and is not asked any more`
          settle({ ...about(scenario), verdict: "untestable", message })
          continue
        }
        try {
          await worker.restart()
        } catch (error) {
          settle({ ...about(scenario), verdict: "untestable", message: (error as Error).message })
          continue
        }
      }
      settle(await play(scenario, worker, { features: started.features ?? [], timeoutMillis: options.timeoutMillis }))
    }
  }
  const workers = Array.from(
    { length: Math.min(options.parallel, Math.max(1, open.length)) },
    (_, index) => new Worker(options, index === 0 ? first : undefined)
  )
  left += workers.length - 1
  try {
    await Promise.all(workers.map(work))
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
  return { started, results: scenarios.map(({ id }) => results.get(id)!) }
}
