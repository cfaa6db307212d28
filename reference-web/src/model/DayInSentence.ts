import { fullDate } from "./Moment.ts"

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" })

/** A day within a sentence: "today", "2 days ago", and after a week the date. */
export const dayInSentence = (millis: number, now: number): string => {
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(millis).setHours(0, 0, 0, 0)) / 86_400_000)
  return days >= 0 && days < 7 ? relative.format(-days, "day") : fullDate(millis)
}
