/** What a database holds: its owner, and the steps that made its tables. */

/**
 * One step of the schema. Steps are applied once, in list order; a released step is never edited. The names and the
 * meaning of tables and columns are those of SQLite on PostgreSQL too, where integers are BIGINT, blobs BYTEA, and
 * text that is compared by order `COLLATE "C"`.
 */
export interface Migration {
  /** `<module>-<number>-<what>`, never reused. */
  readonly id: string
  readonly sqlite: string
  /** Empty where an earlier step already made it so on PostgreSQL. */
  readonly postgres: string
}

export interface Schema {
  /** The server whose database this is; another server's is refused. */
  readonly owner: "chat-server" | "sig-server"
  /** The same as SQLite's `application_id`. */
  readonly applicationId: number
  readonly migrations: ReadonlyArray<Migration>
}
