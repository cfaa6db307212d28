/**
 * The table of keys that handed their handle over. To follow those of manifests, which such a key loses. It takes part in
 * the versions of accounts, and so in what ActiveKeys reads.
 */
import type { Migration } from "./Schema.ts"

export const movedKeyTables: ReadonlyArray<Migration> = [
  {
    id: "moved-001-keys",
    sqlite: `
      CREATE TABLE moved_keys (
        primary_hex TEXT NOT NULL PRIMARY KEY,
        handle TEXT NOT NULL,
        new_hex TEXT NOT NULL,
        moved_at TEXT NOT NULL,
        -- RFC 3339; until then the key can log in and fetch.
        fetch_until TEXT NOT NULL,
        -- JCS of the transfer envelope.
        transfer TEXT NOT NULL,
        -- That of its account.
        state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'ended')),
        version INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX moved_keys_version ON moved_keys (version);
      CREATE INDEX moved_keys_handle ON moved_keys (handle);
      CREATE TRIGGER moved_keys_added AFTER INSERT ON moved_keys BEGIN
        UPDATE account_version SET n = n + 1;
        UPDATE moved_keys SET version = (SELECT n FROM account_version) WHERE primary_hex = NEW.primary_hex;
        DELETE FROM manifests WHERE primary_hex = NEW.primary_hex;
      END;
      CREATE TRIGGER moved_keys_changed AFTER UPDATE OF state ON moved_keys BEGIN
        UPDATE account_version SET n = n + 1;
        UPDATE moved_keys SET version = (SELECT n FROM account_version) WHERE primary_hex = NEW.primary_hex;
      END;
      -- RFC 3339; not carried out before.
      ALTER TABLE removals ADD COLUMN not_before TEXT;`,
    postgres: `
      CREATE TABLE moved_keys (
        primary_hex TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        handle TEXT COLLATE "C" NOT NULL,
        new_hex TEXT COLLATE "C" NOT NULL,
        moved_at TEXT NOT NULL,
        fetch_until TEXT COLLATE "C" NOT NULL,
        transfer TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'ended')),
        version BIGINT NOT NULL DEFAULT 0
      );
      CREATE INDEX moved_keys_version ON moved_keys (version);
      CREATE INDEX moved_keys_handle ON moved_keys (handle);
      CREATE TRIGGER moved_keys_changed BEFORE INSERT OR UPDATE OF state ON moved_keys
        FOR EACH ROW EXECUTE FUNCTION kez_next_version();
      CREATE TRIGGER manifests_of_moved AFTER INSERT ON moved_keys
        FOR EACH ROW EXECUTE FUNCTION kez_drop_manifests();
      ALTER TABLE removals ADD COLUMN not_before TEXT COLLATE "C";`
  }
]
