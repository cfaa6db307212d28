//! The chains, in SQLite. Every append is one transaction that is on disk before it returns, and appends wait for each other.
use crate::event::Event;
use crate::otherwise::Otherwise;
use crate::problem::{ensure, problem, Problem, Result};
use rusqlite::{params, Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use serde_json::{json, Value};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

const CHAIN_LIMIT: u64 = 4_194_304;
/// The last bytes of a chain (KEZ-SIG-140).
const RESERVE: u64 = 262_144;
/// How long an append waits for one of another process.
const BUSY: Duration = Duration::from_secs(10);

pub struct Head {
    pub seq: u64,
    pub hash: String,
}

impl Head {
    pub fn json(&self) -> Value {
        json!({ "seq": self.seq, "hash": self.hash })
    }
}

/// What an append came to.
pub enum Appended {
    New { head: Head, bytes: u64 },
    Again(Head),
}

pub struct Store {
    connection: Mutex<Connection>,
    limit_bytes: u64,
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        eprintln!("database: {error}");
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => problem("store_full", "the disk is full"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => problem("unavailable", "the store is busy"),
            _ => problem("internal", "the store failed"),
        }
    }
}

impl Store {
    /// Opens or creates a database that holds at most this many bytes of events.
    pub fn open(path: &Path, limit_bytes: u64) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS events (
               chain TEXT NOT NULL,
               seq INTEGER NOT NULL,
               hash TEXT NOT NULL,
               envelope TEXT NOT NULL,
               ends INTEGER NOT NULL,
               PRIMARY KEY (chain, seq)
             ) STRICT;
             CREATE TABLE IF NOT EXISTS totals (
               chain TEXT PRIMARY KEY,
               bytes INTEGER NOT NULL
             ) STRICT, WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS room (id INTEGER PRIMARY KEY CHECK (id = 0), bytes INTEGER NOT NULL) STRICT;
             INSERT OR IGNORE INTO room VALUES (0, 0);",
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
            limit_bytes,
        })
    }

    fn with<T>(&self, run: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let connection = self.connection.lock();
        run(&mut *connection.map_err(|_| problem("internal", "the store failed"))?)
    }

    pub fn check_health(&self) -> Result<()> {
        self.with(|connection| Ok(connection.query_row("SELECT bytes FROM room", [], |_| Ok(()))?))
    }

    pub fn head(&self, chain: &str) -> Result<Option<Head>> {
        self.with(|connection| Ok(head(connection, chain)?.map(|(head, _)| head)))
    }

    /// The head and the events from `since` on, one a line.
    pub fn lines(&self, chain: &str, since: u64) -> Result<Option<(Head, String)>> {
        self.with(|connection| {
            let Some((head, _)) = head(connection, chain)? else {
                return Ok(None);
            };
            let mut rows = connection
                .prepare_cached("SELECT envelope || char(10) FROM events WHERE chain = ? AND seq >= ? ORDER BY seq")?;
            let since = i64::try_from(since).unwrap_or(i64::MAX);
            let lines = rows.query_map(params![chain, since], |row| row.get::<_, String>(0))?;
            Ok(Some((head, lines.collect::<rusqlite::Result<String>>()?)))
        })
    }

    /// Appends an event that is valid by itself, if it extends the head of its chain. `admit` can refuse a new chain.
    pub fn append(
        &self,
        chain: &str,
        event: &Event,
        otherwise: &Otherwise,
        admit: impl FnOnce() -> Result<()>,
    ) -> Result<Appended> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let stored = head(&transaction, chain)?;
            if let Some(seq) = event.seq.filter(|_| !otherwise.is("append-again")) {
                if hash_at(&transaction, chain, seq)?.as_ref() == Some(&event.hash) {
                    let hash = event.hash.clone();
                    return Ok(Appended::Again(Head { seq, hash }));
                }
            }
            let next = match &stored {
                None => {
                    admit()?;
                    0
                }
                Some((head, ended)) => {
                    ensure(!ended, "chain_terminated", "the chain was rotated to another key")?;
                    head.seq + 1
                }
            };
            let last = stored.map(|(head, _)| head);
            let extends =
                event.seq.is_none_or(|seq| seq == next) && event.prev.as_ref() == last.as_ref().map(|head| &head.hash);
            if !extends && !otherwise.is("chain-order") {
                return Err(Problem {
                    head: last.as_ref().map(Head::json),
                    ..problem("chain_conflict", "the event does not extend the head")
                });
            }
            let bytes = event.text.len() as u64 + 1;
            self.check_room(&transaction, chain, event, bytes, next == 0)?;
            let ends = event.ends_chain() && !otherwise.is("rotation");
            let row = params![chain, next, event.hash, event.text, ends];
            transaction.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)?;
            transaction.execute(
                "INSERT INTO totals VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bytes = bytes + ?2",
                params![chain, bytes],
            )?;
            transaction.execute("UPDATE room SET bytes = bytes + ?", [bytes])?;
            transaction.commit()?;
            let hash = event.hash.clone();
            Ok(Appended::New {
                head: Head { seq: next, hash },
                bytes,
            })
        })
    }

    /// New chains leave an eighth of the room to chains that exist (KEZ-LIM-022).
    fn check_room(&self, of: &Transaction, chain: &str, event: &Event, bytes: u64, is_new: bool) -> Result<()> {
        let total = of.query_row("SELECT bytes FROM totals WHERE chain = ?", [chain], |row| row.get(0));
        let total: u64 = total.optional()?.unwrap_or_default();
        let limit = if event.is_urgent() {
            CHAIN_LIMIT
        } else {
            CHAIN_LIMIT - RESERVE
        };
        ensure(
            total + bytes <= limit,
            "chain_full",
            "the chain has reached its largest size",
        )?;
        let used: u64 = of.query_row("SELECT bytes FROM room", [], |row| row.get(0))?;
        let room = if is_new {
            self.limit_bytes / 8 * 7
        } else {
            self.limit_bytes
        };
        ensure(used + bytes <= room, "store_full", "the server has no room left")
    }
}

fn head(of: &Connection, chain: &str) -> rusqlite::Result<Option<(Head, bool)>> {
    of.prepare_cached("SELECT seq, hash, ends FROM events WHERE chain = ? ORDER BY seq DESC LIMIT 1")?
        .query_row([chain], |row| {
            let (seq, hash) = (row.get(0)?, row.get(1)?);
            Ok((Head { seq, hash }, row.get(2)?))
        })
        .optional()
}

fn hash_at(of: &Connection, chain: &str, seq: u64) -> rusqlite::Result<Option<String>> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    of.prepare_cached("SELECT hash FROM events WHERE chain = ? AND seq = ?")?
        .query_row(params![chain, seq], |row| row.get(0))
        .optional()
}
