/** What this browser remembers for the page, outside the sealed store: nothing secret. */
const defaults = {
  /** `on`: notify when somebody writes. */
  notify: "off",
  /** `on`: notifications show what was written. */
  "notify-text": "off",
  /** What Enter does in a message: `send` or `newline`. */
  enter: "send",
  theme: "system",
  /** When the words were last checked or made, milliseconds since the epoch. */
  "words-checked": "",
  /** `done`: the reminder to check the words was answered. */
  "words-reminder": "",
  /** The name chosen while signing up, until the account exists. */
  name: ""
}

export type Preference = keyof typeof defaults

export const preference = (name: Preference): string => {
  try {
    return localStorage.getItem(`kez-chat/${name}`) ?? defaults[name]
  } catch {
    // Strict settings forbid storage; the defaults hold.
    return defaults[name]
  }
}

/** Stores a preference; its default, or an empty text, removes it. */
export const setPreference = (name: Preference, value: string): void => {
  try {
    if (value === defaults[name]) localStorage.removeItem(`kez-chat/${name}`)
    else localStorage.setItem(`kez-chat/${name}`, value)
  } catch {
    // As above: it holds until the page is closed.
  }
  if (name === "theme") applyTheme()
}

/** Removes what belongs to the account that logged out; how the page looks stays. */
export const forgetAccount = (): void => {
  for (const name of ["words-checked", "words-reminder", "name"] as const) setPreference(name, "")
}

/** Shows the page in the chosen theme; without one the system's. */
export const applyTheme = (): void => {
  const theme = preference("theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme
  else delete document.documentElement.dataset["theme"]
}

const reminderMillis = 30 * 24 * 3600 * 1000

/** When the words were last checked in this browser, milliseconds since the epoch. */
export const wordsCheckedAt = (): number | undefined => {
  const at = Number(preference("words-checked"))
  return at > 0 ? at : undefined
}

/** The words were found right: logging out asks for less, and the reminder comes in 30 days. */
export const markWordsChecked = (): void => setPreference("words-checked", String(Date.now()))

/** Whether the words were checked within the last 30 days. */
export const wordsCheckedLately = (now = Date.now()): boolean => now - (wordsCheckedAt() ?? 0) < reminderMillis

/** 30 days after the words were made the page asks once whether they can still be found. */
export const wordsReminderDue = (now = Date.now()): boolean =>
  wordsCheckedAt() !== undefined && !wordsCheckedLately(now) && preference("words-reminder") !== "done"
