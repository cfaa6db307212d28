/**
 * Restarts a nats-server that has given up storing. After a full disk or a write error its stream accepts nothing until
 * nats-server restarts, even with free space again; its /healthz reports that. Ours because no supervisor runs here.
 */
import { statfsSync } from "node:fs"
import { get } from "node:http"

/** Interval between health checks, in milliseconds. */
const CHECK_EVERY = 1500
/** Failed checks in a row before a restart: a stream under recovery is unhealthy for a moment. */
const FAILED_CHECKS = 3
/** Free bytes on the disk without which a restart would only fail again. */
const ROOM = 8 * 1024 ** 2
/** Pauses before the restarts of one hour, in milliseconds. There is no further restart in that hour. */
const PAUSES = [0, 15_000, 60_000, 300_000, 600_000]
const HOUR = 3_600_000

/** Why nats-server calls itself unhealthy; undefined when it is healthy, or does not answer, which is noticed elsewhere. */
function healthError(url: string): Promise<string | undefined> {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout: 2000 }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += chunk))
      response.on("close", () => {
        if (response.statusCode === 200) return done(undefined)
        try {
          done(String(JSON.parse(text).error))
        } catch {
          done(`status ${response.statusCode}`)
        }
      })
    })
    request.on("timeout", () => request.destroy())
    request.on("error", () => done(undefined))
  })
}

const hasRoom = (folder: string) => {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= ROOM
  } catch {
    return true
  }
}

/**
 * Watches `part` by its health page `url` until `stop()`, which resolves when no restart is under way any more. `notify`
 * gets a sentence about every restart and every reason against one. `folder` is where messages are stored.
 */
export function watchNats({
  part,
  url,
  folder,
  notify
}: {
  readonly part: { readonly pid: number | undefined; restart(): Promise<void> }
  readonly url: string
  readonly folder: string
  readonly notify: (sentence: string) => void
}): { stop(): Promise<void> } {
  let stopped = false
  let failed = 0
  let lastNotice: string | undefined
  const restarts: number[] = []
  const notifyOnce = (sentence: string) => {
    if (lastNotice !== sentence) notify(sentence)
    lastNotice = sentence
  }

  const check = async () => {
    const error = part.pid === undefined ? undefined : await healthError(url)
    failed = error === undefined ? 0 : failed + 1
    if (error === undefined) lastNotice = undefined
    if (failed < FAILED_CHECKS || stopped) return
    if (!hasRoom(folder))
      return notifyOnce("the broker cannot store mail, its disk is full: make room, and it restarts by itself")
    const now = Date.now()
    while (now - (restarts[0] ?? now) > HOUR) restarts.shift()
    const wait = PAUSES[restarts.length]
    if (wait === undefined)
      return notifyOnce(
        `the broker cannot store mail (${error}), and ${restarts.length} restarts within an hour did not help: look at its disk`
      )
    if (now - (restarts.at(-1) ?? 0) < wait) return
    restarts.push(now)
    failed = 0
    try {
      await part.restart()
      notify(`the broker could not store mail (${error}) and was restarted; nothing that it had acknowledged is lost`)
    } catch (failure) {
      if (!stopped) notify(failure instanceof Error ? failure.message : String(failure))
    }
  }

  let checking: Promise<void> = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (!idle) return
    idle = false
    checking = check().finally(() => (idle = true))
  }, CHECK_EVERY)
  timer.unref()
  return {
    stop: () => {
      stopped = true
      clearInterval(timer)
      return checking
    }
  }
}
