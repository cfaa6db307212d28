/**
 * A handle as people read it: the bare local part for accounts of the own home server, the whole handle for others, and
 * the first characters of a key that no server names.
 */
export const displayName = (handle: string, home: string): string => {
  if (handle.startsWith("ed25519:")) return `${handle.slice("ed25519:".length, "ed25519:".length + 8)}…`
  return home !== "" && handle.endsWith(`@${home}`) ? handle.slice(0, -home.length - 1) : handle
}

/** Whether a text names an account: its handle, the local part of it, or its key. */
export const isNamed = (
  who: string,
  { handle, primary }: { readonly handle: string; readonly primary: string }
): boolean => who === primary || who === handle || handle.startsWith(`${who}@`)

/** The server of a handle; empty for a key that no server names. */
export const serverOf = (handle: string): string => handle.slice(handle.indexOf("@") + 1 || handle.length)

/** Whether an account can be reported to the operator of the own home server: those of other servers are not theirs. */
export const canReport = (
  contact: { readonly handle: string } | undefined,
  own: { readonly server: string } | undefined
): boolean => contact !== undefined && serverOf(contact.handle) === own?.server
