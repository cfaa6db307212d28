import type { Message } from "@kez-chat/sdk/promise"
import { isSameDay } from "../../model/Moment.ts"

/** Longest pause within a run of messages, in milliseconds. */
const pauseMillis = 5 * 60_000

/** Whether a message begins a run: another side, another day, a pause, or something shown between it and the one before. */
export const startsRun = (before: Message | undefined, message: Message, unreadFrom: number | undefined): boolean =>
  before === undefined ||
  before.direction !== message.direction ||
  before.state === "failed" ||
  message.gap !== undefined ||
  message.order === unreadFrom ||
  message.arrivedAt - before.arrivedAt > pauseMillis ||
  !isSameDay(before.arrivedAt, message.arrivedAt)

/** A row's height in pixels before it is measured; good guesses make the scrollbar calm. */
export const estimateRow = (message: Message): number => {
  const lines = message.text.split("\n", 400).reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 62)), 0)
  return message.type === "file_share" ? 150 : 20 + lines * 24
}
