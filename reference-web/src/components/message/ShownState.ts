import type { Message } from "@kez-chat/sdk/promise"
import type { LinksState } from "../../elements/links/Links.ts"
import { timeOfDay } from "../../model/Moment.ts"
import type { Texts } from "../../texts/Texts.ts"

/** How an own message's state is shown: a sign, a word, and a sentence on demand. */
export interface ShownState {
  readonly sign: LinksState
  /** Absent while a message is on its way as usual. */
  readonly word?: string
  readonly sentence?: string
}

/** How long a message may wait before the page says that it does, in milliseconds. */
export const quietMillis = 2000

interface Surroundings {
  readonly texts: Texts["conversation"]
  readonly name: string
  /** The recipient's home server. */
  readonly server: string
  /** Notes to self. */
  readonly isSelf: boolean
  readonly isOffline: boolean
  readonly now: number
}

/** The shown state of an own message; undefined for one that somebody else wrote. */
export const shownState = (
  message: Message,
  { isOffline, isSelf, name, now, server, texts }: Surroundings
): ShownState | undefined => {
  switch (message.state) {
    case undefined:
      return undefined
    case "queued": {
      const waiting = message.waiting
      if (waiting?.reason === "full") {
        return { sign: "queued", word: texts.stateWaiting, sentence: texts.waitingFull(name) }
      }
      if (waiting?.reason === "slow") {
        const until = waiting.until === undefined ? undefined : timeOfDay(waiting.until)
        return { sign: "queued", word: texts.stateWaiting, sentence: texts.waitingSlow(until) }
      }
      const isQuiet = !isOffline && now - message.arrivedAt < quietMillis
      return isQuiet ? { sign: "queued" } : { sign: "queued", word: texts.stateWaiting, sentence: texts.waiting }
    }
    case "stored":
      return {
        sign: "stored",
        word: texts.stateSent,
        sentence: isSelf ? texts.storedNotes : texts.stored(server, name)
      }
    case "delivered":
      return { sign: "delivered", word: texts.stateDelivered, sentence: texts.delivered(name) }
    case "read":
      return { sign: "read", word: texts.stateRead, sentence: texts.read(name) }
    case "failed": {
      const reason = message.failure?.replace(/\.$/, "")
      return {
        sign: "failed",
        word: texts.stateFailed,
        sentence: reason === undefined ? texts.failedUnexplained : texts.failedBecause(reason)
      }
    }
  }
}
