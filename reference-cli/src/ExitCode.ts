/** Exit codes: part of the interface, documented in the README, never renumbered. */
export const ExitCode = {
  ok: 0,
  /** Anything without a code of its own: a damaged or full store, a failed check of `doctor`, a defect. */
  failed: 1,
  /** The command line is wrong, or a value in it is. */
  usage: 2,
  /** The profile holds no account. */
  noAccount: 3,
  /** No such contact or handle. */
  notFound: 4,
  /** The server or a rule refused, and trying again will not help. */
  refused: 5,
  /** The home server or the broker does not answer, or asks to come back later. */
  unreachable: 6,
  /** A passphrase is needed, missing or wrong, or the keychain does not open. */
  locked: 7,
  /** Another process holds the profile and did not release it in time. */
  busy: 8,
  /** The message is queued safely but was not stored at the home server in time; it goes out later. */
  queued: 9,
  /** A contact's key or sigchain changed: nothing was done, or not all, until the user decides. */
  keyChanged: 10,
  /** Ended by SIGHUP: the terminal closed. */
  hungUp: 129,
  /** Ended by SIGINT. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
