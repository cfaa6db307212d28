/** The tables of sigchains. */
import type { Migration } from "./Schema.ts"

export const chainTables: ReadonlyArray<Migration> = [
  {
    id: "sigchains-001-events",
    sqlite: `
      CREATE TABLE chains (
        primary_hex TEXT NOT NULL PRIMARY KEY,
        head_seq INTEGER NOT NULL,
        head_hash TEXT NOT NULL,
        -- Size of the chain as JSON Lines.
        bytes INTEGER NOT NULL,
        -- The key that a rotation ended the chain in favour of.
        rotated_to TEXT
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE events (
        primary_hex TEXT NOT NULL REFERENCES chains (primary_hex),
        seq INTEGER NOT NULL,
        hash TEXT NOT NULL,
        -- JCS of the envelope.
        envelope TEXT NOT NULL,
        PRIMARY KEY (primary_hex, seq)
      ) STRICT, WITHOUT ROWID;`,
    postgres: `
      CREATE TABLE chains (
        primary_hex TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        head_seq BIGINT NOT NULL,
        head_hash TEXT NOT NULL,
        bytes BIGINT NOT NULL,
        rotated_to TEXT
      );
      CREATE TABLE events (
        primary_hex TEXT COLLATE "C" NOT NULL REFERENCES chains (primary_hex),
        seq BIGINT NOT NULL,
        hash TEXT NOT NULL,
        envelope TEXT NOT NULL,
        PRIMARY KEY (primary_hex, seq)
      );`
  },
  {
    // Needed for every append, so kept instead of summed up over all chains.
    id: "sigchains-002-totals",
    sqlite: `
      CREATE TABLE chain_totals (chains INTEGER NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
      INSERT INTO chain_totals
        SELECT count(*), coalesce(sum(head_seq + 1), 0), coalesce(sum(bytes), 0) FROM chains;
      CREATE TRIGGER chains_begun AFTER INSERT ON chains BEGIN
        UPDATE chain_totals SET chains = chains + 1, events = events + NEW.head_seq + 1, bytes = bytes + NEW.bytes;
      END;
      CREATE TRIGGER chains_extended AFTER UPDATE ON chains BEGIN
        UPDATE chain_totals SET events = events + NEW.head_seq - OLD.head_seq, bytes = bytes + NEW.bytes - OLD.bytes;
      END;`,
    postgres: `
      CREATE TABLE chain_totals (chains BIGINT NOT NULL, events BIGINT NOT NULL, bytes BIGINT NOT NULL);
      INSERT INTO chain_totals VALUES (0, 0, 0);
      CREATE FUNCTION kez_count_chain() RETURNS trigger LANGUAGE plpgsql AS $body$
      BEGIN
        IF TG_OP = 'INSERT' THEN
          UPDATE chain_totals SET chains = chains + 1, events = events + NEW.head_seq + 1, bytes = bytes + NEW.bytes;
        ELSE
          UPDATE chain_totals SET events = events + NEW.head_seq - OLD.head_seq, bytes = bytes + NEW.bytes - OLD.bytes;
        END IF;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER chains_counted AFTER INSERT OR UPDATE ON chains
        FOR EACH ROW EXECUTE FUNCTION kez_count_chain();`
  }
]
