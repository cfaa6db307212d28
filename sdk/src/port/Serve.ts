/** The side of a port that has the object and answers the calls. */
import type { Calls, Kind, Methods } from "./Calls.ts"
import { fromError, fromItem, type PortError, unexpected } from "./PortError.ts"
import { type Answer, windowItems } from "./Wire.ts"

interface Running {
  readonly stop: () => void
  readonly more: (count: number) => void
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

/**
 * Answers the calls of `calls` that arrive on `port`, and nothing else, whatever else arrives. Returns a function that
 * stops what runs and tells the other side, whose pending calls then reject with `ClientClosed`.
 */
export const serveCalls = <Target extends object>(
  port: MessagePort,
  calls: Calls<Target>,
  target: Target
): (() => void) => {
  const kinds = new Map(Object.entries<Kind>(calls))
  const methods = target as Methods
  const running = new Map<number, Running>()

  const post = (answer: Answer) => {
    try {
      port.postMessage(answer)
    } catch (error) {
      // A value that cannot be cloned.
      if ("id" in answer) port.postMessage({ id: answer.id, error: unexpected((error as Error).name) } satisfies Answer)
    }
  }
  const fail = (id: number, error: PortError) => post({ id, error })

  const answerCall = async (id: number, name: string, args: ReadonlyArray<unknown>, abort: AbortController) => {
    running.set(id, { stop: () => abort.abort(), more: () => {} })
    try {
      post({ id, value: await methods[name]!(...args) })
    } catch (error) {
      fail(id, fromError(error))
    } finally {
      running.delete(id)
    }
  }

  const answerStream = async (id: number, name: string, args: ReadonlyArray<unknown>, abort: AbortController) => {
    let allowed = windowItems
    const { signal } = abort
    let wake = () => {}
    let iterator: AsyncIterator<unknown> | undefined
    running.set(id, {
      stop: () => {
        abort.abort()
        wake()
        // Ends a `next` that waits.
        iterator?.return?.().catch(() => {})
      },
      more: (count) => {
        allowed = Math.min(allowed + count, windowItems)
        wake()
      }
    })
    try {
      iterator = (methods[name]!(...args) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      while (!signal.aborted) {
        if (allowed === 0) {
          await new Promise<void>((resolve) => (wake = resolve))
          continue
        }
        const result = await iterator.next()
        if (signal.aborted) break
        if (result.done === true) return post({ id, done: true })
        allowed -= 1
        post({ id, item: fromItem(result.value) })
      }
    } catch (error) {
      if (!signal.aborted) fail(id, fromError(error))
    } finally {
      running.delete(id)
    }
  }

  const receive = ({ data }: MessageEvent<unknown>) => {
    const { id, name, args, signalAt, more, stop, closed } = record(data)
    if (closed === true) return end()
    if (!isCount(id)) return
    const known = running.get(id)
    if (known !== undefined) {
      if (stop === true) known.stop()
      else if (isCount(more)) known.more(more)
      return
    }
    if (name === undefined) return
    const kind = typeof name === "string" ? kinds.get(name) : undefined
    if (typeof name !== "string" || !Array.isArray(args) || kind === undefined || kind === "local") {
      return fail(id, { _tag: "CallRefused", name: "CallRefused", message: "this port has no such call" })
    }
    const abort = new AbortController()
    const own: Array<unknown> = [...args]
    if (isCount(signalAt) || signalAt === 0) own[Math.min(signalAt, 8)] = { signal: abort.signal }
    void (kind === "stream" ? answerStream : answerCall)(id, name, own, abort)
  }

  const end = () => {
    port.removeEventListener("message", receive)
    port.removeEventListener("close", end)
    for (const { stop } of running.values()) stop()
  }

  port.addEventListener("message", receive)
  // Fired by some engines when the other side is gone.
  port.addEventListener("close", end)
  port.start()
  return () => {
    end()
    port.postMessage({ closed: true } satisfies Answer)
    port.close()
  }
}
