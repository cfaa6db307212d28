/** Sizes and durations for people. */

const units = ["kB", "MB", "GB", "TB", "PB"] as const

/** `512 B`, `4.2 kB`, `28 MB`: three digits at most, powers of a thousand as file managers count them. */
export const bytes = (count: number): string => {
  if (count < 1000) return `${count} B`
  let value = count
  let unit = -1
  // 999.5 is written 1000, which is the next unit's 1.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${units[Math.max(0, unit)]}`
}

/** Two digits at least, as in dates and times. */
export const two = (value: number): string => String(value).padStart(2, "0")

/** `0:04`, `12:30`, `2:03:00`, `3 days`. */
export const span = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  if (whole >= 172_800) return `${Math.round(whole / 86_400)} days`
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** Whole percent, and 100 only when it is all. */
export const percent = (part: number, whole: number): number =>
  part >= whole ? 100 : Math.min(99, Math.floor((part / whole) * 100))

/** `1 file`, `3 files`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`
