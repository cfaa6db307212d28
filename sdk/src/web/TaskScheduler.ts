/**
 * The turns that fibers take in a browser. Effect uses `setTimeout` where there is no `setImmediate`, and browsers make
 * timers that begin in timers wait 4 ms each.
 */
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"

/** Runs a function in a task of its own, after those asked for before; returns what prevents it. */
const channelTask = (): ((run: () => void) => () => void) => {
  const { port1, port2 } = new MessageChannel()
  const due: Array<{ run: () => void }> = []
  port1.addEventListener("message", () => due.shift()?.run())
  port1.start()
  return (run) => {
    const task = { run }
    due.push(task)
    port2.postMessage(undefined)
    return () => {
      task.run = () => {}
    }
  }
}

/** A scheduler without pauses; that of Effect where it has none. */
export const layer: Layer.Layer<never> =
  "setImmediate" in globalThis
    ? Layer.empty
    : Layer.sync(Scheduler.Scheduler)(() => new Scheduler.MixedScheduler("async", channelTask()))
