/** Dates and times in the reader's language and time zone. */

const formats = new Map<string, Intl.DateTimeFormat>()

const format = (millis: number, options: Intl.DateTimeFormatOptions): string => {
  const key = JSON.stringify(options)
  let formatter = formats.get(key)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat(undefined, options)
    formats.set(key, formatter)
  }
  return formatter.format(millis)
}

/** Days between the midnights of two moments, in local time. */
const daysBetween = (from: number, to: number): number =>
  Math.round((new Date(to).setHours(0, 0, 0, 0) - new Date(from).setHours(0, 0, 0, 0)) / 86_400_000)

export const isSameDay = (one: number, other: number): boolean => daysBetween(one, other) === 0

export const timeOfDay = (millis: number): string => format(millis, { hour: "numeric", minute: "2-digit" })

/** A date in full: `3 March 2019`. */
export const fullDate = (millis: number): string => format(millis, { day: "numeric", month: "long", year: "numeric" })

/** A date and time in full. */
export const fullMoment = (millis: number): string => format(millis, { dateStyle: "long", timeStyle: "short" })

/** A day as a heading: today and yesterday by these words, then the weekday, then the date. */
export const dayName = (millis: number, now: number): string => {
  const days = daysBetween(millis, now)
  if (days === 0 || days === 1) {
    const name = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-days, "day")
    return name.charAt(0).toLocaleUpperCase() + name.slice(1)
  }
  if (days > 1 && days < 7) return format(millis, { weekday: "long", day: "numeric", month: "long" })
  return fullDate(millis)
}

/** As short as it stays clear, for a list: the time today, the weekday this week, else the date. */
export const shortMoment = (millis: number, now: number): string => {
  const days = daysBetween(millis, now)
  if (days <= 0) return timeOfDay(millis)
  if (days < 7) return format(millis, { weekday: "short" })
  const isThisYear = new Date(millis).getFullYear() === new Date(now).getFullYear()
  return format(millis, isThisYear ? { day: "numeric", month: "short" } : { dateStyle: "short" })
}
