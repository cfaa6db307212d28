//! Positions of a client in the stream (KEZ-SEQ-001 to KEZ-SEQ-007, KEZ-SEQ-039).
use crate::data::members::Members;
use crate::problem::{Code, Result};
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::collections::BTreeMap;

/// How many of the frames taken last are remembered.
const REMEMBERED: usize = 4_096;

/// `enc` of the frames that were taken last in this epoch, by sequence number.
#[derive(Default)]
pub struct Taken(BTreeMap<u64, Vec<u8>>);

impl Taken {
    pub fn remember(&mut self, seq: u64, enc: &[u8]) {
        self.0.insert(seq, enc.to_vec());
        if self.0.len() > REMEMBERED {
            self.0.pop_first();
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn holds(&self, seq: u64, enc: &[u8]) -> bool {
        self.0.get(&seq).is_some_and(|taken| taken == enc)
    }
}

/// A client that holds nothing yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Positions {
    pub epoch: Option<String>,
    pub inbox: u64,
    pub own: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Store what came.
    Take,
    /// It is held already.
    Drop,
    /// Fetch after the smaller position.
    Fetch,
    /// The stream was made anew: fetch from the beginning.
    Restart,
}

/// Where a live frame stands.
pub struct Place<'a> {
    /// It is an own copy.
    pub own: bool,
    pub seq: u64,
    /// The frame before it on the same stream subject.
    pub last: u64,
    pub enc: &'a [u8],
}

impl Positions {
    pub fn fetch_after(&self) -> u64 {
        self.inbox.min(self.own)
    }

    /// A page that answers a request `after`, before its frames.
    pub fn page(&mut self, epoch: &str, after: u64, last_seq: u64, taken: &mut Taken) -> Action {
        let is_new = self.epoch.as_deref() != Some(epoch);
        let restarts = is_new || after > last_seq;
        if restarts {
            (self.inbox, self.own) = (0, 0);
            taken.clear();
        }
        self.epoch = Some(epoch.to_owned());
        if restarts && !is_new {
            Action::Restart
        } else {
            Action::Take
        }
    }

    /// The last frame of a page.
    pub fn raise(&mut self, seq: u64) {
        self.inbox = self.inbox.max(seq);
        self.own = self.own.max(seq);
    }

    pub fn live(&mut self, place: &Place<'_>, taken: &mut Taken) -> Action {
        let position = if place.own { self.own } else { self.inbox };
        if self.epoch.is_none() || place.last > position {
            return Action::Fetch;
        }
        if place.seq <= position {
            let same = taken.holds(place.seq, place.enc);
            return if same { Action::Drop } else { Action::Fetch };
        }
        if place.own {
            self.own = place.seq;
        } else {
            self.inbox = place.seq;
        }
        taken.remember(place.seq, place.enc);
        Action::Take
    }

    fn step(&mut self, step: Members<'_>, taken: &mut Taken) -> Result<Value> {
        let action = if step.has("page") {
            let page = step.object("page")?;
            let after = if page.has("after") { page.integer("after")? } else { 0 };
            let last_seq = if page.has("last_seq") {
                page.integer("last_seq")?
            } else {
                after
            };
            let action = self.page(page.text("epoch")?, after, last_seq, taken);
            if action == Action::Take {
                for seq in page.array("seqs")?.iter().filter_map(Value::as_u64) {
                    taken.remember(seq, &[]);
                    self.raise(seq);
                }
            }
            action
        } else {
            let live = step.object("live")?;
            self.live(
                &Place {
                    own: live.text("subject")? != "inbox",
                    seq: live.integer("seq")?,
                    last: live.integer("last_seq_of_subject")?,
                    enc: &[],
                },
                taken,
            )
        };
        let action = match action {
            Action::Take => "take",
            Action::Drop => "drop",
            Action::Fetch => "fetch",
            Action::Restart => "restart",
        };
        let positions = json!({ "inbox": self.inbox, "self": self.own });
        Ok(json!({ "action": action, "positions": positions, "fetch_after": self.fetch_after() }))
    }
}

pub fn trace(steps: &[Value]) -> Result<Vec<Value>> {
    let (mut positions, mut taken) = (Positions::default(), Taken::default());
    steps
        .iter()
        .map(|step| positions.step(Members::of(step, Code::RequestMalformed)?, &mut taken))
        .collect()
}
