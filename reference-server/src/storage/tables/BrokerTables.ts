/** The broker side's tables in the registry's database. */
import type { Migration } from "./Schema.ts"

export const brokerTables: ReadonlyArray<Migration> = [
  {
    // `key` is a kind letter and an account's or a pair's 32 bytes; `day` counts days since the epoch (Counters.ts).
    id: "broker-001-quotas",
    sqlite: `
      CREATE TABLE broker_counters (
        key BLOB NOT NULL,
        day INTEGER NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (key, day)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX broker_counters_day ON broker_counters (day);
      CREATE TABLE broker_secrets (period INTEGER PRIMARY KEY, secret BLOB NOT NULL) STRICT;
      CREATE TABLE broker_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
    postgres: `
      CREATE TABLE broker_counters (
        key BYTEA NOT NULL,
        day BIGINT NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (key, day)
      );
      CREATE INDEX broker_counters_day ON broker_counters (day);
      CREATE TABLE broker_secrets (period BIGINT PRIMARY KEY, secret BYTEA NOT NULL);
      CREATE TABLE broker_state (name TEXT PRIMARY KEY, value BIGINT NOT NULL);`
  },
  {
    // Counts of messages gave way to bytes by class. Bytes stored before that have no class: they take room in the
    // inbox until they expire, and nobody's share.
    id: "broker-002-quota-classes",
    sqlite: "DELETE FROM broker_counters WHERE substr(key, 1, 1) IN (x'6e', x'70');",
    postgres: ""
  },
  {
    id: "broker-003-trims",
    sqlite: "CREATE TABLE broker_trims (account BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    postgres: "CREATE TABLE broker_trims (account BYTEA PRIMARY KEY, at BIGINT NOT NULL);"
  },
  {
    id: "broker-004-blocks",
    sqlite: `
      CREATE TABLE broker_blocks (pair BLOB PRIMARY KEY, owner BLOB NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX broker_blocks_owner ON broker_blocks (owner);`,
    postgres: `
      CREATE TABLE broker_blocks (pair BYTEA PRIMARY KEY, owner BYTEA NOT NULL);
      CREATE INDEX broker_blocks_owner ON broker_blocks (owner);`
  }
]
