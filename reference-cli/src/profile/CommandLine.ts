/** Command lines for hints: copied by a person, they must reach the same account. */

/** The profile of a command that names none. */
export const defaultProfile = "default"

/** A `kez-chat` command line for the account of a profile, ready to be pasted. */
export const line = (profile: string, command: string): string =>
  profile === defaultProfile ? `kez-chat ${command}` : `kez-chat --profile ${profile} ${command}`

/** An argument quoted for a shell: an id may begin with a dash, a name may contain anything. */
export const argument = (text: string): string => {
  const quoted = /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
  return text.startsWith("-") ? `-- ${quoted}` : quoted
}
