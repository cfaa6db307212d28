//! What a client keeps: a journal of changes in one file, and the state that they make.
use super::state::{Change, State};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

pub struct Store {
    journal: File,
    pub state: State,
    /// Changes that are in the state and not yet in the journal.
    pending: Vec<Change>,
}

impl Store {
    /// Opens the journal of a folder, without a last line that was cut off.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("journal.jsonl");
        let is_new = !path.exists();
        let bytes = if is_new { Vec::new() } else { fs::read(&path)? };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut state = State::default();
        for line in bytes[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let changes: Vec<Change> = serde_json::from_slice(line)?;
            for change in changes {
                state.apply(change);
            }
        }
        let journal = OpenOptions::new().create(true).append(true).open(&path)?;
        journal.set_len(whole as u64)?;
        journal.sync_all()?;
        if is_new {
            File::open(folder)?.sync_all()?;
        }
        let pending = Vec::new();
        Ok(Self {
            journal,
            state,
            pending,
        })
    }

    pub fn change(&mut self, change: Change) {
        self.state.apply(change.clone());
        self.pending.push(change);
    }

    /// Puts all changes since the last commit on durable storage, all or none of them.
    pub fn commit(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut line = serde_json::to_vec(&self.pending).expect("changes are JSON");
        line.push(b'\n');
        // A client that cannot store ends: what it says afterwards would not hold.
        self.journal.write_all(&line).expect("the journal can be written");
        self.journal.sync_data().expect("the journal can be synced");
        self.pending.clear();
    }
}
