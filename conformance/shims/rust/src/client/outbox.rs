//! Writing messages, and sending their frames until the home server has answered for them.
use super::link::{pause, Answer, Asked};
use super::run::{now_millis, now_text, Client};
use super::state::{Change, Copy, Held, Progress};
use crate::data::{forms, jcs};
use crate::identity::keys::PublicKey;
use crate::identity::primary::Primary;
use crate::messages::message::{self, Draft};
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Value};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// At most one receipt to one peer in this time (KEZ-SEQ-028), with so many ids (KEZ-SEQ-030).
const RECEIPT_PAUSE: Duration = Duration::from_secs(2);
const RECEIPT_IDS: usize = 128;

/// What is sent to one inbox goes one after another, so that it is stored in that order.
pub struct Lane {
    not_before: Instant,
    /// Before this time of the clock the home server would refuse again.
    at: Option<i64>,
    failures: u32,
    /// The pause is for a refusal, and not for want of an answer.
    refused: bool,
}

impl Lane {
    fn new() -> Self {
        Self {
            not_before: Instant::now(),
            at: None,
            failures: 0,
            refused: false,
        }
    }

    pub fn hurry(&mut self) {
        self.not_before = Instant::now();
        self.refused = false;
    }

    fn is_refused(&self) -> bool {
        self.at.is_some_and(|at| now_millis() < at) || self.refused && Instant::now() < self.not_before
    }

    fn is_open(&self) -> bool {
        Instant::now() >= self.not_before && self.at.is_none_or(|at| now_millis() >= at)
    }

    fn fail(&mut self, at: Option<i64>, refused: bool) {
        self.not_before = Instant::now() + pause(self.failures);
        self.failures += 1;
        (self.at, self.refused) = (at, refused);
    }
}

/// 16 random bytes that do not begin with `-` as text (KEZ-DM-035).
fn new_id() -> String {
    loop {
        let id = forms::base64url(&forms::random::<16>());
        if !id.starts_with('-') {
            return id;
        }
    }
}

/// White space, control characters and what Unicode makes ignorable show nothing (KEZ-DM-036).
fn shows_nothing(text: &str) -> bool {
    let ignorable = |c: char| {
        matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
    };
    text.chars()
        .all(|c| c.is_whitespace() || c.is_control() || ignorable(c))
}

impl Client {
    /// Puts a text to a contact, or a note to self, into the outbox.
    pub fn send(&mut self, who: &str, text: &str) -> Result<Value> {
        let peer = self.contact_or_self(who)?;
        if peer != self.store.state.own() {
            self.check_sends(&peer)?;
        }
        ensure(
            !shows_nothing(text),
            Code::MessageMalformed,
            "a text that shows nothing",
        )?;
        let body = json!({ "type": "text", "text": text });
        let id = self.write(&peer, body, Some(text))?;
        Ok(json!({ "id": id, "state": "queued" }))
    }

    /// Whether something may be sent to a contact, and can be.
    fn check_sends(&mut self, peer: &str) -> Result<()> {
        let card = &self.store.state.contacts[peer];
        ensure(
            card.contact.sends(),
            Code::SendStopped,
            "the contact is changed, blocked or not accepted",
        )?;
        if card.chain.is_empty() {
            self.look_at_chain(peer)?;
        }
        let card = &self.store.state.contacts[peer];
        ensure(card.contact.sends(), Code::SendStopped, "the contact has changed")?;
        ensure(
            card.has_inbox,
            Code::ContactUnreachable,
            "the contact's chain names no inbox",
        )
    }

    /// Encrypts and seals a message, and queues its frames; with a text it is one that is shown and has an own copy.
    pub fn write(&mut self, peer: &str, mut body: Value, shown: Option<&str>) -> Result<String> {
        let state = &self.store.state;
        let own = state.own().to_owned();
        let device = state.device.clone().unwrap_or_default();
        let seq = state.next_number(&own, peer, &device);
        body["chain"] = json!(super::state::head(&state.own_chain));
        let in_conversation = |held: &&Held| held.peer(&own) == peer && held.text.is_some();
        let prev = state
            .messages
            .iter()
            .rev()
            .find(in_conversation)
            .map(|held| held.hash.clone());
        let (id, now) = (new_id(), now_text());
        let to = Primary::parse_account(peer)?;
        let draft = Draft {
            to,
            id: &id,
            device: &device,
            seq,
            prev: prev.as_deref().filter(|_| shown.is_some()),
            created_at: &now,
            salt: forms::random(),
        };
        let envelope = message::encrypt(&self.seed, &draft, &jcs::to_vec(&body))?.envelope;
        let kind = body["type"].as_str().unwrap_or_default().to_owned();
        let positions = &state.positions;
        let held = Held {
            from: own.clone(),
            to: peer.to_owned(),
            id: id.clone(),
            device,
            seq,
            hash: crate::statements::envelope::hash(&envelope),
            kind,
            text: shown.map(str::to_owned),
            progress: shown.map(|_| Progress::Queued),
            reason: None,
            gap: None,
            equivocation: false,
            fork: false,
            suspicious: false,
            retired: false,
            place: (state.life, positions.inbox.max(positions.own)),
            placed: false,
        };
        let mut readers = vec![to];
        if shown.is_some() && to != self.own {
            readers.push(self.own);
        }
        let envelope = jcs::to_vec(&envelope);
        let frames = readers.iter().map(|reader| self.seal(&envelope, reader, peer, &id));
        let frames = frames.collect::<Result<Vec<_>>>()?;
        self.store.change(Change::Message(Box::new(held)));
        for mut copy in frames {
            copy.number = self.store.state.next_copy;
            self.store.change(Change::Queued(Box::new(copy)));
        }
        Ok(id)
    }

    fn seal(&self, envelope: &[u8], reader: &PublicKey, peer: &str, id: &str) -> Result<Copy> {
        let frame = message::seal(envelope, reader, forms::random())?.bytes;
        Ok(Copy {
            number: 0,
            to: Primary::from(*reader).to_string(),
            peer: peer.to_owned(),
            message: id.to_owned(),
            kez_id: forms::base64url(&forms::random::<16>()),
            frame: forms::base64url(&frame),
        })
    }

    /// The first copy of each lane that may go: one to an addressee waits for the states of the contact, an own copy for
    /// the answer to that one.
    fn next_copies(&self) -> Vec<u64> {
        let state = &self.store.state;
        let own = state.own();
        let to_addressee = |copy: &&Copy| copy.to == copy.peer;
        let unanswered: HashSet<&str> = state
            .outbox
            .values()
            .filter(to_addressee)
            .map(|copy| copy.message.as_str())
            .collect();
        let may_go = |copy: &Copy| {
            if copy.to != copy.peer {
                !unanswered.contains(copy.message.as_str())
            } else {
                copy.peer == own || state.contacts.get(&copy.peer).is_some_and(|card| card.contact.sends())
            }
        };
        let mut lanes = HashSet::new();
        let mut first = Vec::new();
        for copy in state.outbox.values() {
            if !lanes.contains(copy.to.as_str()) && may_go(copy) {
                lanes.insert(copy.to.as_str());
                first.push(copy.number);
            }
        }
        first
    }

    pub fn has_copies_to_send(&self) -> bool {
        let refused = |number: &u64| {
            self.lanes
                .get(&self.store.state.outbox[number].to)
                .is_some_and(Lane::is_refused)
        };
        !self.next_copies().iter().all(refused)
    }

    pub fn send_copies(&mut self) {
        for number in self.next_copies() {
            let Some(copy) = self.store.state.outbox.get(&number) else {
                continue;
            };
            let lane = self.lanes.entry(copy.to.clone()).or_insert_with(Lane::new);
            if !lane.is_open() || !self.link.may_send() || self.link.is_sending(number) {
                continue;
            }
            let subject = format!("kez.inbox.{}", copy.to.trim_start_matches("ed25519:"));
            let (kez_id, frame) = (copy.kez_id.clone(), copy.frame.clone());
            let frame = forms::from_base64url(&frame).unwrap_or_default();
            self.request(&subject, Asked::Send { copy: number }, Some(&kez_id), &frame);
            if !self.link.is_connected() {
                return;
            }
        }
    }

    /// What came of sending a copy.
    pub fn sent(&mut self, number: u64, answer: Answer) {
        let Some(copy) = self.store.state.outbox.get(&number).cloned() else {
            return;
        };
        let lane = self.lanes.entry(copy.to.clone()).or_insert_with(Lane::new);
        let is_kept = self.store.state.contacts.get(&copy.peer);
        let is_kept = is_kept.is_some_and(|card| card.contact.is_kept());
        let to_addressee = copy.to == copy.peer;
        match answer {
            Answer::Nothing => lane.fail(None, false),
            Answer::Done(_) => {
                *lane = Lane::new();
                self.store.change(Change::Dropped(number));
                if to_addressee {
                    self.progress(&copy.message, Progress::Stored, None);
                }
            }
            Answer::Refused { code, at } => {
                let waits = match code {
                    Code::Unknown => is_kept && to_addressee,
                    code => matches!(code, Code::Full | Code::Slow | Code::Retry),
                };
                let reason = Some(code.text().to_owned());
                if waits {
                    lane.fail(at, true);
                    if to_addressee {
                        self.progress(&copy.message, Progress::Queued, reason);
                    }
                } else if to_addressee {
                    self.drop_message(&copy.message);
                    self.progress(&copy.message, Progress::Failed, reason);
                } else {
                    self.store.change(Change::Dropped(number));
                }
                if code == Code::Unknown && to_addressee {
                    self.looks.insert(copy.peer);
                }
            }
        }
        self.store.commit();
    }

    /// Drops all frames of a message.
    pub fn drop_message(&mut self, id: &str) {
        let copies = self.store.state.outbox.values().filter(|copy| copy.message == id);
        let numbers: Vec<u64> = copies.map(|copy| copy.number).collect();
        for number in numbers {
            self.store.change(Change::Dropped(number));
        }
    }

    /// Moves the state of a message of this account, and never back (KEZ-SEQ-032).
    pub fn progress(&mut self, id: &str, progress: Progress, reason: Option<String>) {
        let state = &self.store.state;
        let before = state.message(state.own(), id).and_then(|held| held.progress);
        let moves = match before {
            None | Some(Progress::Failed) => false,
            Some(Progress::Queued) => true,
            Some(before) => before < progress && progress != Progress::Failed,
        };
        if moves {
            let id = id.to_owned();
            self.store.change(Change::Progress { id, progress, reason });
        }
    }

    fn due_receipts(&self) -> Vec<String> {
        let state = &self.store.state;
        let may_go = |peer: &String| {
            state
                .contacts
                .get(peer)
                .is_some_and(|card| card.contact.sends() && card.has_inbox)
        };
        let due = state.due.iter().filter(|(peer, ids)| !ids.is_empty() && may_go(peer));
        due.map(|(peer, _)| peer.clone()).collect()
    }

    pub fn has_receipts_to_write(&self) -> bool {
        !self.due_receipts().is_empty()
    }

    pub fn write_receipts(&mut self) {
        for peer in self.due_receipts() {
            let last = self.receipted.get(&peer);
            if last.is_some_and(|last| last.elapsed() < RECEIPT_PAUSE) {
                continue;
            }
            let ids: Vec<String> = self.store.state.due[&peer].iter().take(RECEIPT_IDS).cloned().collect();
            let body = json!({ "type": "receipt", "status": "delivered", "ids": ids });
            // A receipt that cannot be written for this peer is not owed any more.
            let _ = self.write(&peer, body, None);
            self.receipted.insert(peer.clone(), Instant::now());
            self.store.change(Change::Receipted { peer, ids });
        }
    }
}
