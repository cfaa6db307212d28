//! Positions of a client in the stream (KEZ-SEQ-001 to KEZ-SEQ-007, KEZ-SEQ-039).
use crate::data::members::Members;
use crate::problem::{Code, Result};
use serde_json::{json, Value};
use std::collections::HashSet;

/// A client that holds nothing yet.
#[derive(Default)]
pub struct Positions {
    epoch: Option<String>,
    inbox: u64,
    own: u64,
    /// Sequence numbers of frames that were taken in this epoch.
    held: HashSet<u64>,
}

impl Positions {
    fn fetch_after(&self) -> u64 {
        self.inbox.min(self.own)
    }

    fn restart(&mut self) {
        (self.inbox, self.own) = (0, 0);
        self.held.clear();
    }

    fn page(&mut self, page: Members<'_>) -> Result<&'static str> {
        let epoch = page.text("epoch")?;
        if self.epoch.as_deref() != Some(epoch) {
            self.epoch = Some(epoch.to_owned());
            self.restart();
        } else if page.integer("after")? > page.integer("last_seq")? {
            self.restart();
            return Ok("restart");
        }
        for seq in page.array("seqs")?.iter().filter_map(Value::as_u64) {
            self.held.insert(seq);
            self.inbox = self.inbox.max(seq);
            self.own = self.own.max(seq);
        }
        Ok("take")
    }

    fn live(&mut self, frame: Members<'_>) -> Result<&'static str> {
        let seq = frame.integer("seq")?;
        let last = frame.integer("last_seq_of_subject")?;
        let position = match frame.text("subject")? {
            "inbox" => &mut self.inbox,
            _ => &mut self.own,
        };
        if self.epoch.is_none() || last > *position {
            return Ok("fetch");
        }
        if seq <= *position {
            return Ok(if self.held.contains(&seq) { "drop" } else { "fetch" });
        }
        *position = seq;
        self.held.insert(seq);
        Ok("take")
    }

    pub fn step(&mut self, step: Members<'_>) -> Result<Value> {
        let action = if step.has("page") {
            self.page(step.object("page")?)?
        } else {
            self.live(step.object("live")?)?
        };
        let positions = json!({ "inbox": self.inbox, "self": self.own });
        Ok(json!({ "action": action, "positions": positions, "fetch_after": self.fetch_after() }))
    }
}

pub fn trace(steps: &[Value]) -> Result<Vec<Value>> {
    let mut positions = Positions::default();
    steps
        .iter()
        .map(|step| positions.step(Members::of(step, Code::RequestMalformed)?))
        .collect()
}
