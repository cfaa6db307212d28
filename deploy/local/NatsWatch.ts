/**
 * Starts nats-server again when it has given up storing. After a full disk or a write error its stream takes nothing any
 * more, however much room there is again, until it is started anew; its own /healthz says so.
 */
import { statfsSync } from "node:fs"
import { get } from "node:http"

const LOOK_EVERY = 1500
/** So many looks in a row must say the same; a stream that is being recovered is unhealthy for a moment. */
const LOOKS = 3
/** Room on the disk without which another start would only fail again, in bytes. */
const ROOM = 8 * 1024 ** 2
/** Pauses before the second and later starts, in milliseconds. There is none beyond the last in one hour. */
const PAUSES = [0, 15_000, 60_000, 300_000, 600_000]
const HOUR = 3_600_000

/** What nats-server says is wrong with itself; undefined when it is well, or does not answer, which others notice. */
function complaint(url) {
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

const hasRoom = (folder) => {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= ROOM
  } catch {
    return true
  }
}

/**
 * Watches `part` by its health page `url` until `stop()`, which resolves when nothing is being started any more. `tell`
 * gets a sentence about everything that is done or cannot be done. `folder` is where messages lie.
 */
export function watchNats({ part, url, folder, tell }) {
  let stopped = false
  let bad = 0
  let told
  const starts = []
  const once = (sentence) => {
    if (told !== sentence) tell(sentence)
    told = sentence
  }

  const look = async () => {
    const wrong = part.pid === undefined ? undefined : await complaint(url)
    bad = wrong === undefined ? 0 : bad + 1
    if (wrong === undefined) told = undefined
    if (bad < LOOKS || stopped) return
    if (!hasRoom(folder))
      return once(`the broker cannot store mail, its disk is full: make room, and it is started again by itself`)
    const now = Date.now()
    while (starts.length > 0 && now - starts[0] > HOUR) starts.shift()
    if (starts.length === PAUSES.length)
      return once(
        `the broker cannot store mail (${wrong}), and starting it again ${starts.length} times within an hour did not help: look at its disk`
      )
    if (starts.length > 0 && now - starts.at(-1) < PAUSES[starts.length]) return
    starts.push(now)
    bad = 0
    try {
      await part.restart()
      tell(`the broker could not store mail (${wrong}) and was started again; nothing that it had acknowledged is lost`)
    } catch (error) {
      if (!stopped) tell(error.message)
    }
  }

  let looking = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (!idle) return
    idle = false
    looking = look().finally(() => (idle = true))
  }, LOOK_EVERY)
  timer.unref()
  return {
    stop: () => {
      stopped = true
      clearInterval(timer)
      return looking
    }
  }
}
