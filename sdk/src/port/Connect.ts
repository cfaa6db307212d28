/** The side of a port that calls. */
import type { Calls, Kind } from "./Calls.ts"
import { clientClosed, tagged, toError, toItem } from "./PortError.ts"
import { type Answer, type Request, windowItems } from "./Wire.ts"

/** What waits for answers: undefined means that the port was closed. */
type Waiter = (answer: Answer | undefined) => void

export interface Connection<Target> {
  readonly target: Target
  /** Ends this side: pending and later calls reject with `ClientClosed`, and loops end. Idempotent. */
  readonly close: () => void
}

/** The argument that carries a signal, which cannot cross. */
const signalIn = (args: ReadonlyArray<unknown>): { readonly at: number; readonly signal: AbortSignal } | undefined => {
  const at = args.findLastIndex(
    (argument) => (argument as { signal?: unknown } | undefined)?.signal instanceof AbortSignal
  )
  return at < 0 ? undefined : { at, signal: (args[at] as { readonly signal: AbortSignal }).signal }
}

export const connectCalls = <Target>(port: MessagePort, calls: Calls<Target>): Connection<Target> => {
  const waiters = new Map<number, Waiter>()
  let lastId = 0
  let closed = false

  const post = (request: Request) => port.postMessage(request)

  const close = () => {
    if (closed) return
    closed = true
    post({ closed: true })
    port.close()
    const all = [...waiters.values()]
    waiters.clear()
    for (const waiter of all) waiter(undefined)
  }

  /** Sends a call and listens for its answers. Aborting stops it on the other side. */
  const begin = (name: string, args: ReadonlyArray<unknown>, waiter: Waiter): { readonly id: number; end(): void } => {
    const id = ++lastId
    const found = signalIn(args)
    const stop = () => post({ id, stop: true })
    post({
      id,
      name,
      args: found === undefined ? args : args.map((argument, at) => (at === found.at ? undefined : argument)),
      ...(found === undefined ? {} : { signalAt: found.at })
    })
    waiters.set(id, waiter)
    found?.signal.addEventListener("abort", stop, { once: true })
    return {
      id,
      end: () => {
        waiters.delete(id)
        found?.signal.removeEventListener("abort", stop)
      }
    }
  }

  const call =
    (name: string) =>
    async (...args: ReadonlyArray<unknown>): Promise<unknown> => {
      if (closed) throw clientClosed()
      const signal = signalIn(args)?.signal
      signal?.throwIfAborted()
      return new Promise((resolve, reject) => {
        const { end } = begin(name, args, (answer) => {
          end()
          if (answer === undefined) reject(clientClosed())
          else if ("error" in answer) reject(signal?.aborted === true ? signal.reason : toError(answer.error))
          else resolve("value" in answer ? answer.value : undefined)
        })
      })
    }

  const stream =
    (name: string) =>
    (...args: ReadonlyArray<unknown>): AsyncIterable<unknown> => ({
      [Symbol.asyncIterator]: () => iterate(name, args)
    })

  const iterate = (name: string, args: ReadonlyArray<unknown>): AsyncIterator<unknown> => {
    const signal = signalIn(args)?.signal
    const items: Array<unknown> = []
    const takers: Array<{ resolve(result: IteratorResult<unknown>): void; reject(error: unknown): void }> = []
    let running: ReturnType<typeof begin> | undefined
    let ended = closed
    let failure: { readonly error: unknown } | undefined
    let taken = 0

    const settle = () => {
      const [taker] = takers
      if (taker === undefined) return
      if (items.length > 0) {
        takers.shift()
        taker.resolve({ done: false, value: items.shift() })
        if (++taken === windowItems / 2 && !ended) {
          if (running !== undefined) post({ id: running.id, more: taken })
          taken = 0
        }
      } else if (failure !== undefined) {
        takers.shift()
        taker.reject(failure.error)
        failure = undefined
      } else if (ended) {
        takers.shift()
        taker.resolve({ done: true, value: undefined })
      } else return
      settle()
    }

    const end = () => {
      ended = true
      running?.end()
      signal?.removeEventListener("abort", abort)
    }

    const abort = () => {
      if (ended) return
      end()
      items.length = 0
      failure = { error: signal?.reason }
      settle()
    }

    const start = () => {
      if (signal?.aborted === true) return abort()
      running = begin(name, args, (answer) => {
        if (answer !== undefined && "item" in answer) items.push(toItem(answer.item))
        else {
          end()
          if (answer !== undefined && "error" in answer) failure = { error: toError(answer.error) }
        }
        settle()
      })
      signal?.addEventListener("abort", abort, { once: true })
    }

    return {
      next: () =>
        new Promise((resolve, reject) => {
          takers.push({ resolve, reject })
          if (running === undefined && !ended) start()
          settle()
        }),
      return: async () => {
        if (running !== undefined && !ended) post({ id: running.id, stop: true })
        end()
        items.length = 0
        failure = undefined
        while (takers.length > 0) settle()
        return { done: true, value: undefined }
      }
    }
  }

  const local = (name: string) => async (): Promise<never> => {
    throw tagged("NotPortable", `${name} reads data of the program that calls it, which cannot cross a port`, {
      call: name
    })
  }

  port.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    if ("closed" in data) close()
    else waiters.get(data.id)?.(data)
  })
  // Fired by some engines when the other side is gone.
  port.addEventListener("close", close)
  port.start()

  const make = { call, stream, local }
  const target = Object.fromEntries(Object.entries<Kind>(calls).map(([name, kind]) => [name, make[kind](name)]))
  return { target: target as Target, close }
}
