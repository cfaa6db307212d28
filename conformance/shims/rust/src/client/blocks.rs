//! Blocking: the own list, its notes for other devices, and the home's list (KEZ-NAT-062 to KEZ-NAT-066, KEZ-DM-030 to KEZ-DM-032).
use super::link::{pause, Answer, Asked};
use super::run::{now_millis, Client};
use super::state::{Block, Card, Change};
use crate::data::forms;
use crate::identity::primary::Primary;
use crate::messages::contact::Relation;
use crate::problem::{Code, Result};
use serde_json::{json, Value};
use std::time::Instant;

const WEEK: i64 = 7 * 24 * 3_600_000;

const FALLBACK: &str = "A note between devices of this account: whom it blocks.";

impl Client {
    pub fn block(&mut self, who: &str, blocked: bool) -> Result<Value> {
        let primary = self.contact_or_self(who)?;
        if !self.store.state.contacts.contains_key(&primary) {
            return Err(Code::ContactUnknown.because("nobody blocks oneself"));
        }
        if self.store.state.is_blocked(&primary) != blocked {
            self.decide_block(&primary, blocked);
        }
        Ok(self.contact_view(&primary))
    }

    /// A new decision of the user.
    pub fn decide_block(&mut self, who: &str, blocked: bool) {
        let rev = self.store.state.blocks.get(who).map_or(1, |block| block.rev + 1);
        self.take_block(who, Block { blocked, rev });
        self.note_block(who);
    }

    /// Tells the other devices what this one holds.
    fn note_block(&mut self, who: &str) {
        let block = &self.store.state.blocks[who];
        let entry = json!({ "who": who, "blocked": block.blocked, "rev": block.rev });
        let body = json!({ "type": "block_list", "entries": [entry], "fallback": FALLBACK });
        let own = self.store.state.own().to_owned();
        // A note is small enough, and the own key is admitted.
        let _ = self.write(&own, body, None);
    }

    /// Notes the list anew once a week, before the home lets go of the notes that hold it (KEZ-DM-033).
    pub fn note_blocks_if_due(&mut self) {
        if !self.store.state.blocks.is_empty() && now_millis() - self.store.state.blocks_noted > WEEK {
            self.note_blocks();
        }
    }

    /// The notes that held the list are gone: it is noted anew (KEZ-DM-033).
    pub fn note_blocks(&mut self) {
        self.store.change(Change::BlocksNoted(now_millis()));
        let all: Vec<String> = self.store.state.blocks.keys().cloned().collect();
        for who in all {
            self.note_block(&who);
        }
    }

    fn take_block(&mut self, who: &str, block: Block) {
        let blocked = block.blocked;
        let card = self.store.state.contacts.get(who).cloned();
        // Somebody who is blocked on another device and unknown here can be unblocked here as well.
        let is_key = Primary::parse_account(who).is_ok();
        let card = card.or_else(|| (blocked && is_key).then(|| Card::new(who, Relation::Requested)));
        if let Some(mut card) = card {
            card.contact.relation = if blocked { Relation::Blocked } else { card.relation };
            self.store.change(Change::Contact(Box::new(card)));
        }
        let who = who.to_owned();
        self.unconfirmed.insert(who.clone(), Instant::now());
        self.store.change(Change::Block { who, block });
    }

    /// Takes what another device notes; of two entries the one of the higher `rev` counts, of equal ones that which blocks.
    pub fn take_block_list(&mut self, body: &Value) {
        let entries = body["entries"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            let who = entry["who"].as_str().unwrap_or_default();
            let (blocked, rev) = (entry["blocked"] == true, entry["rev"].as_u64().unwrap_or(0));
            let held = self.store.state.blocks.get(who).map(|block| (block.rev, block.blocked));
            if who == self.store.state.own() {
                continue;
            }
            match held {
                Some(held) if held == (rev, blocked) => (),
                Some(held) if held > (rev, blocked) => self.note_block(who),
                _ => self.take_block(who, Block { blocked, rev }),
            }
        }
    }

    /// The home can have lost its list (KEZ-NAT-066).
    pub fn confirm_blocks_again(&mut self) {
        let all = self.store.state.blocks.keys();
        self.unconfirmed = all.map(|who| (who.clone(), Instant::now())).collect();
    }

    fn blocks_due(&self) -> Vec<String> {
        let now = Instant::now();
        let due = self
            .unconfirmed
            .iter()
            .filter(|(who, at)| **at <= now && !self.link.is_blocking(who));
        due.map(|(who, _)| who.clone()).collect()
    }

    pub fn has_blocks_to_repeat(&self) -> bool {
        !self.blocks_due().is_empty() || self.unconfirmed.keys().any(|who| self.link.is_blocking(who))
    }

    pub fn repeat_blocks(&mut self) {
        for who in self.blocks_due() {
            let blocked = self.store.state.is_blocked(&who);
            let n = forms::base64url(&forms::random::<16>());
            let op = if blocked { "add" } else { "remove" };
            let digits = who.trim_start_matches("ed25519:").to_owned();
            let request = json!({ "op": op, "who": digits, "n": n }).to_string();
            let subject = format!("kez.block.{}", forms::hex(self.own.bytes()));
            self.request(&subject, Asked::Block { who, blocked, n }, None, request.as_bytes());
            if !self.link.is_connected() {
                return;
            }
        }
    }

    pub fn blocked_at_home(&mut self, who: &str, blocked: bool, answer: &Answer) {
        let settled = match answer {
            Answer::Done(_) => blocked == self.store.state.is_blocked(who),
            // The list is full, or the home does not take this one: the own list counts all the same.
            Answer::Refused { code, .. } => !matches!(code, Code::Slow | Code::Retry),
            Answer::Nothing => false,
        };
        if settled {
            self.unconfirmed.remove(who);
        } else {
            self.unconfirmed.insert(who.to_owned(), Instant::now() + pause(3));
        }
    }
}
