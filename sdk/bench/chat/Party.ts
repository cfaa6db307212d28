/** A part of a bench in a process of its own, so that it shares no event loop with what it is measured against. */
import { fork } from "node:child_process"
import { once } from "node:events"
import process from "node:process"

type Commands = Readonly<Record<string, (argument: never) => Promise<unknown>>>

interface Call {
  readonly call: number
  readonly name: string
  readonly argument: unknown
}
interface Reply {
  readonly call: number
  readonly result?: unknown
  readonly failure?: string
}

/** Milliseconds of a clock that all processes of this machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Answers the calls of the process that forked this one, and ends with it. */
export const serve = (commands: Commands): void => {
  const reply = (message: Reply) => void process.send?.(message)
  process.on("message", ({ argument, call, name }: Call) => {
    const command = commands[name]
    if (command === undefined) return reply({ call, failure: `there is no command ${name}` })
    command(argument as never).then(
      (result) => reply({ call, result }),
      (error: unknown) =>
        reply({ call, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    )
  })
  process.once("disconnect", () => process.exit(0))
}

export interface Party<C extends Commands> {
  /** Rejects when the command fails or the process ends. */
  call<Name extends keyof C & string>(
    name: Name,
    argument: Parameters<C[Name]>[0]
  ): Promise<Awaited<ReturnType<C[Name]>>>
  end(): Promise<void>
}

/** Forks a script that calls `serve`. */
export const startParty = <C extends Commands>(script: URL): Party<C> => {
  const child = fork(script)
  const exited = once(child, "exit")
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let calls = 0
  child.on("message", ({ call, failure, result }: Reply) => {
    const caller = waiting.get(call)
    waiting.delete(call)
    if (failure === undefined) caller?.resolve(result)
    else caller?.reject(new Error(failure))
  })
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error(`${script.pathname} ended`))
  })
  return {
    call: (name, argument) =>
      new Promise((resolve, reject) => {
        const call = calls++
        waiting.set(call, { resolve: resolve as (value: unknown) => void, reject })
        child.send({ call, name, argument } satisfies Call)
      }),
    end: async () => {
      if (child.connected) child.disconnect()
      await exited
    }
  }
}
