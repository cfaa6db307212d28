/** Command lines in hints: what a person copies must reach the same account. */

/** The profile that a command works on where nothing else is said. */
export const defaultProfile = "default"

/** `kez-chat ...` for the account of a profile, to be pasted as it stands. */
export const line = (profile: string, command: string): string =>
  profile === defaultProfile ? `kez-chat ${command}` : `kez-chat --profile ${profile} ${command}`

/** An argument as a shell takes it: an id may begin with a dash, a name may hold anything. */
export const argument = (text: string): string => {
  const quoted = /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
  return text.startsWith("-") ? `-- ${quoted}` : quoted
}
