/** Command lines in hints: what a person copies must reach the same account. */

/** The profile that a command works on where nothing else is said. */
export const defaultProfile = "default"

/** `kez-chat ...` for the account of a profile, to be pasted as it stands. */
export const line = (profile: string, command: string): string =>
  profile === defaultProfile ? `kez-chat ${command}` : `kez-chat --profile ${profile} ${command}`
