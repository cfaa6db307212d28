"""The durable store of a client: one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS contacts (
    row INTEGER PRIMARY KEY,
    pinned TEXT NOT NULL UNIQUE,
    handle TEXT UNIQUE,
    state TEXT NOT NULL
);
-- `until`: when the user accepted the key after it.
CREATE TABLE IF NOT EXISTS former_keys (account TEXT PRIMARY KEY, contact INTEGER NOT NULL, until INTEGER NOT NULL);

-- What was sent and received. `era` and `place` are a message's place in the stream: the epoch as this store counts
-- them, and the sequence number; both are null until the stream has it.
CREATE TABLE IF NOT EXISTS messages (
    row INTEGER PRIMARY KEY,
    author TEXT NOT NULL,
    addressee TEXT NOT NULL,
    id TEXT NOT NULL,
    device TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    peer TEXT NOT NULL,
    body TEXT NOT NULL,
    shown INTEGER NOT NULL,
    era INTEGER,
    place INTEGER,
    state TEXT,
    reason TEXT,
    gap INTEGER NOT NULL DEFAULT 0,
    equivocation INTEGER NOT NULL DEFAULT 0,
    fork INTEGER NOT NULL DEFAULT 0,
    suspicious INTEGER NOT NULL DEFAULT 0,
    retired INTEGER NOT NULL DEFAULT 0,
    UNIQUE (author, id)
);
CREATE INDEX IF NOT EXISTS messages_by_count ON messages (author, addressee, device, seq);
CREATE INDEX IF NOT EXISTS messages_by_peer ON messages (peer, shown);

-- Frames that wait to be sent; `target` is the inbox's account, and `is_copy` tells a sender's own copy.
CREATE TABLE IF NOT EXISTS outbox (
    row INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES messages,
    target TEXT NOT NULL,
    is_copy INTEGER NOT NULL,
    kez_id TEXT NOT NULL,
    frame BLOB NOT NULL,
    not_before INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS receipts_due (peer TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (peer, id));

CREATE TABLE IF NOT EXISTS dropped (row INTEGER PRIMARY KEY, code TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kept_frames (
    row INTEGER PRIMARY KEY,
    frame BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    era INTEGER NOT NULL,
    place INTEGER NOT NULL
);
-- Decisions about blocks; `told` where the home server has confirmed this one.
CREATE TABLE IF NOT EXISTS blocks (
    who TEXT PRIMARY KEY,
    blocked INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0
);
-- What this device shares; `ended` where its list has to do without it.
CREATE TABLE IF NOT EXISTS shares (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    shared_at INTEGER NOT NULL,
    entry TEXT NOT NULL,
    ended INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS manifests (
    owner TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body BLOB NOT NULL
);
"""


class Store:
    """`:memory:` for a store that does not last."""

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends. One inside another is part of it."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> int:
        """The row that an INSERT made."""
        return self._database.execute(statement, values).lastrowid or 0

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._database.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._database.execute(query, values).fetchone()
        return row

    def value(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.row(query, *values)
        return None if row is None else row[0]

    def fact(self, name: str) -> Any:
        """A single value that is kept under a name, or None."""
        text = self.value("SELECT value FROM facts WHERE name = ?", name)
        return None if text is None else json.loads(text)

    def keep_fact(self, name: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, json.dumps(value))
