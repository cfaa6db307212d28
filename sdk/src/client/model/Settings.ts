export interface Settings {
  /** Tell others when their messages were read. */
  readonly readReceipts: boolean
  /** Who may write without being asked for: `everyone` arrives as requests, `contacts` drops strangers unseen. */
  readonly inbox: "everyone" | "contacts"
  /**
   * Once a day, have the home remove mail that every device of the account holds (off at first). What is removed does not
   * come back with the words.
   */
  readonly autoTrim: boolean
}
