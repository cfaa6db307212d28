/** What PostgreSQL or the way to it answers when it fails: whether trying again helps, and what to tell people. */

/** The code of PostgreSQL, of TLS or of the network, where there is one. */
export const codeOf = (cause: unknown): string => {
  const { code } = cause as { readonly code?: unknown }
  return typeof code === "string" ? code : "no connection"
}

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code)

/**
 * Classes of SQLSTATE for trouble with the server rather than the statement: connections, authorisation, resources,
 * locks, an operator's intervention, the system; a database that became read-only; a transaction ended after standing
 * still; a table that another version of this server changed meanwhile.
 */
const transient = /^(?:08|28|3D|40|53|55|57|58|F0|XX|25006$|25P03$|0A000$|42501$)/

/** Whether what failed may work later without a change of this program. */
export const isTransient = (cause: unknown): boolean => !isSqlState(codeOf(cause)) || transient.test(codeOf(cause))

/** Errors of Node's and OpenSSL's verification of a certificate. */
const isTls = (code: string): boolean => /CERT|^ERR_(?:SSL|TLS|OSSL)|^UNABLE_TO_/.test(code)

/** Whether a PostgreSQL that is starting may be the reason; what is set up wrongly is told at once. */
export const isStarting = (cause: unknown): boolean => {
  const code = codeOf(cause)
  if (isSqlState(code)) return code === "57P03"
  return !isTls(code) && !sentences.some(([fits]) => fits.test(textOf(cause)))
}

/** By code or by the driver's text. None names a user, and no driver's text holds a password. */
const sentences: ReadonlyArray<readonly [RegExp, string]> = [
  [/^28P01/, "refuses the role or its password; check --db-password-file, PGPASSWORD or the URL"],
  [/client password must be/, "asks for a password; give --db-password-file or PGPASSWORD"],
  [/^28000/, "does not let this role in from here; see its pg_hba.conf, which may also ask for TLS (sslmode)"],
  [/^3D000/, "does not exist; CREATE DATABASE makes it"],
  [
    /^42501/,
    "does not allow its role to do this; the role must own the database, or see the grants in docs/postgres.md"
  ],
  [/^53300/, "has no connection left; raise its max_connections or lower --db-connections"],
  [/^57P03/, "is starting or stopping"],
  [/does not support SSL/, "does not speak TLS; turn its ssl on, or say sslmode=disable where nobody can listen"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, "shows a certificate for another name than that of the URL"],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/, "shows a certificate that has expired or is not valid yet"],
  [
    /^[A-Z_]*(?:CERT|SIGNATURE)/,
    "shows a certificate of an unknown authority; name the authority's file with sslrootcert"
  ]
]

/** An AggregateError of several addresses has no message of its own. */
const messageOf = (cause: unknown): string =>
  (cause as Error).message || (cause as AggregateError).errors?.map(({ message }: Error) => message).join("; ")

const textOf = (cause: unknown): string => `${codeOf(cause)} ${messageOf(cause)}`

/** In the words of an operator, to go behind the database's name. */
export const reasonOf = (cause: unknown): string => {
  const text = textOf(cause)
  return sentences.find(([fits]) => fits.test(text))?.[1] ?? messageOf(cause)
}
