/** Where a PostgreSQL database is and how it is reached, from a `postgres://` URL. */
import { AddressClass } from "@kez-chat/sdk/protocol"
import type { ClientConfig } from "pg"
import { readFileSync } from "node:fs"
import { DatabaseError, type DatabaseOptions } from "./Database.ts"

export const isPostgresUrl = (db: string): boolean => /^postgres(?:ql)?:\/\//.test(db)

/** The address without user, password and settings, for people. */
export const databaseName = (db: string): string => {
  if (!isPostgresUrl(db)) return db
  const url = URL.parse(db)
  return url === null ? "postgres://" : `postgres://${url.host}${url.pathname}`
}

/** libpq's settings that are understood in the URL's query. */
const known = new Set(["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"])

/** Throws a `DatabaseError` where the URL or a file that it names cannot be used. */
export const postgresConfig = ({ db, dbPasswordFile = "" }: DatabaseOptions): ClientConfig => {
  const refuse = (detail: string) => new DatabaseError({ reason: "io", path: databaseName(db), detail })
  const url = URL.parse(db)
  if (url === null) throw refuse("is not a URL; characters such as / in a password are written %2F")
  const setting = (name: string): string | undefined => url.searchParams.get(name) ?? undefined
  for (const name of url.searchParams.keys()) {
    if (!known.has(name)) throw refuse(`the setting ${name} is not understood, only ${[...known].join(", ")}`)
  }
  const read = (file: string): string => {
    try {
      return readFileSync(file, "utf8")
    } catch (cause) {
      throw refuse(`${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`)
    }
  }
  const file = (name: string): string | undefined => {
    const path = setting(name)
    return path === undefined ? undefined : read(path)
  }
  const host = setting("host") ?? (decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1") || "localhost")
  const password = dbPasswordFile === "" ? decodeURIComponent(url.password) : read(dbPasswordFile).trimEnd()
  const isLocal = host.startsWith("/") || AddressClass.isLoopback(host)
  const mode = setting("sslmode") ?? (isLocal ? "disable" : "verify-full")
  const certificates = { ca: file("sslrootcert"), cert: file("sslcert"), key: file("sslkey") }
  const given = Object.fromEntries(Object.entries(certificates).filter(([, text]) => text !== undefined))
  const ssl = {
    disable: false,
    // As libpq: encrypted, whoever it is.
    require: { ...given, rejectUnauthorized: false },
    "verify-ca": { ...given, checkServerIdentity: () => undefined },
    "verify-full": given
  }[mode]
  if (ssl === undefined) throw refuse(`sslmode=${mode} is not one of disable, require, verify-ca, verify-full`)
  return {
    host,
    port: Number(setting("port") ?? (url.port || 5432)),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(url.username === "" ? {} : { user: decodeURIComponent(url.username) }),
    // Otherwise the driver takes PGPASSWORD.
    ...(password === "" ? {} : { password }),
    ssl
  }
}
