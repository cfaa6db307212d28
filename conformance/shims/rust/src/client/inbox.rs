//! Taking what the broker delivers: pages, live frames, and the messages in them.
use super::link::{pause, Answer, Asked};
use super::nats::Message as Delivery;
use super::run::Client;
use super::state::{Card, Change, Held, Progress};
use crate::broker::page;
use crate::broker::positions::{Action, Place};
use crate::data::forms;
use crate::identity::primary::Primary;
use crate::messages::contact::Relation;
use crate::messages::inbox::{is_suspicious, NOT_SHOWN};
use crate::messages::message::{self, Message, Role};
use crate::problem::Code;
use crate::statements::sigchain::Head;
use serde_json::{json, Value};
use std::time::Instant;

/// Heads of one contact that are remembered until its chain was looked at.
const HEADS: usize = 8;

/// `enc` of a frame.
fn enc(frame: &[u8]) -> &[u8] {
    frame.get(1..33).unwrap_or(frame)
}

impl Client {
    pub fn fetch_if_needed(&mut self) {
        if !self.link.fetch_wanted || self.link.is_fetch_open() || Instant::now() < self.link.fetch_not_before {
            return;
        }
        self.link.fetch_wanted = false;
        let positions = &self.store.state.positions;
        let (n, after) = (forms::random::<16>(), positions.fetch_after());
        let mut request = json!({ "after": after, "n": forms::base64url(&n) });
        if let Some(epoch) = &positions.epoch {
            request["epoch"] = json!(epoch);
        }
        let subject = format!("kez.fetch.{}", forms::hex(self.own.bytes()));
        self.request(
            &subject,
            Asked::Fetch { n, after },
            None,
            request.to_string().as_bytes(),
        );
    }

    fn fetch_again(&mut self, later: bool) {
        self.link.fetch_wanted = true;
        if later {
            self.link.fetch_not_before = Instant::now() + pause(0);
        }
    }

    /// What came of a fetch. A page is no JSON, and a refusal is no page.
    pub fn fetched(&mut self, n: &[u8; 16], after: u64, answer: &Answer, payload: Option<&[u8]>) {
        let page = payload.filter(|_| matches!(answer, Answer::Nothing));
        let page = page.and_then(|payload| page::decode(payload, self.own.bytes(), n).ok());
        let Some(page) = page else {
            return self.fetch_again(true);
        };
        let epoch = forms::base64url(&page.epoch);
        let mut positions = self.store.state.positions.clone();
        let is_new = positions.epoch.as_ref() != Some(&epoch);
        let action = positions.page(&epoch, after, page.last_seq, &mut self.taken);
        self.store.change(Change::Positions(positions.clone()));
        if action == Action::Restart {
            self.store.commit();
            return self.fetch_again(false);
        }
        if is_new {
            self.confirm_blocks_again();
        }
        for stored in &page.frames {
            self.taken.remember(stored.seq, enc(&stored.frame));
            self.take(&stored.frame, stored.seq, stored.time_ms as i64);
        }
        if let Some(last) = page.frames.last() {
            positions.raise(last.seq);
            self.store.change(Change::Positions(positions));
        }
        self.store.commit();
        // A page without frames would come again (KEZ-SEQ-075).
        if page.pending > 0 && !page.frames.is_empty() {
            self.fetch_again(false);
        }
    }

    /// Takes a frame of live delivery, if it is the broker's own and the next one of its subject.
    pub fn take_live(&mut self, delivery: &Delivery) {
        let digits = forms::hex(self.own.bytes());
        let number = |name: &str| delivery.header(name).and_then(|text| text.parse::<u64>().ok());
        let subject = delivery.header("Nats-Subject").unwrap_or_default();
        let own = subject == format!("kez.self.{digits}");
        let is_delivery = delivery.subject == format!("kez.dlv.{digits}")
            && delivery.header("Nats-Stream") == Some("KEZ_INBOX")
            && (own || subject == format!("kez.inbox.{digits}"));
        let (true, Some(seq), Some(last)) = (is_delivery, number("Nats-Sequence"), number("Nats-Last-Sequence")) else {
            return;
        };
        // What is being fetched comes first.
        if self.link.is_fetching() {
            return self.fetch_again(false);
        }
        let mut positions = self.store.state.positions.clone();
        let frame = &delivery.payload;
        let place = Place {
            own,
            seq,
            last,
            enc: enc(frame),
        };
        match positions.live(&place, &mut self.taken) {
            Action::Drop => (),
            Action::Fetch | Action::Restart => self.fetch_again(false),
            Action::Take => {
                let time = delivery.header("Nats-Time-Stamp").and_then(stamp);
                self.take(frame, seq, time.unwrap_or_else(super::run::now_millis));
                self.store.change(Change::Positions(positions));
                self.store.commit();
            }
        }
    }

    /// Takes a frame that the broker stored at a time.
    fn take(&mut self, frame: &[u8], seq: u64, time: i64) {
        match message::open(&self.seed, frame) {
            Ok(message) => self.take_message(&message, seq, time),
            Err(problem) if matches!(problem.code, Code::SuiteUnsupported | Code::AlgorithmUnsupported) => {
                let frame = forms::base64url(frame);
                self.store.change(Change::Kept { seq, frame });
            }
            Err(problem) => {
                let code = problem.code.text().to_owned();
                self.store.change(Change::Invalid { seq, code });
            }
        }
    }

    fn take_message(&mut self, message: &Message, seq: u64, time: i64) {
        let text = |key| Primary::from(key).to_string();
        let (from, to, peer) = (text(message.from), text(message.to), text(message.peer));
        let state = &self.store.state;
        let place = (state.life, seq);
        if let Some(held) = state.message(&from, &message.id) {
            let id = message.id.clone();
            if held.hash != message.hash {
                self.store.change(Change::Equivocated { from, id });
            } else if !held.placed {
                self.store.change(Change::Placed { from, id, place });
            }
            return;
        }
        let kind = message.body["type"].as_str().unwrap_or_default().to_owned();
        let incoming = message.role == Role::Incoming;
        let is_shown = !NOT_SHOWN.contains(&kind.as_str());
        // What is missing before mail that is not shown is missing before the next that is.
        let missing = message
            .seq
            .saturating_sub(state.next_number(&from, &to, &message.device));
        let missing = missing + state.missing_before(&from, &message.device);
        let receipted = state.receipted(&peer, &message.id).unwrap_or(Progress::Stored);
        let mut previous = state.contacts.values().flat_map(|card| &card.previous);
        let retired = previous.any(|(key, until)| *key == from && time >= *until);
        let mut held = Held {
            from,
            to,
            id: message.id.clone(),
            device: message.device.clone(),
            seq: message.seq,
            hash: message.hash.clone(),
            text: is_shown.then(|| super::views::shown_text(&message.body)),
            progress: (!incoming && is_shown).then_some(receipted),
            reason: None,
            gap: None,
            equivocation: false,
            fork: false,
            suspicious: is_suspicious(message.created_at, time),
            retired,
            place,
            placed: true,
            kind,
        };
        if incoming {
            held.gap = Some(missing).filter(|missing| *missing > 0);
        }
        held.fork = state.is_number_taken(&held);
        self.meet(&peer, is_shown, incoming);
        if incoming {
            self.hear_head(&peer, &message.body["chain"]);
            self.owe_receipt(&peer, &held);
        }
        match held.kind.as_str() {
            "receipt" if incoming => self.take_receipt(&peer, &message.body),
            "block_list" if message.role == Role::Note => self.take_block_list(&message.body),
            _ => (),
        }
        self.store.change(Change::Message(Box::new(held)));
    }

    /// Who writes without being a contact is a request (KEZ-SEQ-035). Whom this account wrote to is a contact: own copies are
    /// all that tells a restored account whom it had accepted.
    fn meet(&mut self, peer: &str, is_shown: bool, incoming: bool) {
        let state = &self.store.state;
        let known = state.contacts.get(peer).map(|card| card.contact.relation);
        if !is_shown || peer == state.own() || known.is_some_and(|known| incoming || known != Relation::Requested) {
            return;
        }
        let relation = if incoming {
            Relation::Requested
        } else {
            Relation::Accepted
        };
        let mut card = state
            .contacts
            .get(peer)
            .cloned()
            .unwrap_or_else(|| Card::new(peer, relation));
        (card.relation, card.contact.relation) = (relation, relation);
        if state.is_blocked(peer) {
            card.contact.relation = Relation::Blocked;
        }
        self.store.change(Change::Contact(Box::new(card)));
        self.looks.insert(peer.to_owned());
    }

    /// Remembers a head that a contact's message names and that its chain does not have (KEZ-SIG-125).
    fn hear_head(&mut self, peer: &str, chain: &Value) {
        let Some(card) = self.store.state.contacts.get(peer) else {
            return;
        };
        let Ok(head) = serde_json::from_value::<Head>(chain.clone()) else {
            return;
        };
        let known = usize::try_from(head.seq).ok().and_then(|seq| card.chain.get(seq));
        if known == Some(&head.hash) || card.named.contains(&head) || card.named.len() >= HEADS {
            return;
        }
        let mut card = card.clone();
        card.named.push(head);
        self.store.change(Change::Contact(Box::new(card)));
        self.looks.insert(peer.to_owned());
    }

    /// Receipts are for what accepted contacts write (KEZ-SEQ-027).
    fn owe_receipt(&mut self, peer: &str, held: &Held) {
        let card = self.store.state.contacts.get(peer);
        if held.text.is_some() && card.is_some_and(|card| card.contact.relation != Relation::Blocked) {
            let (peer, id) = (peer.to_owned(), held.id.clone());
            self.store.change(Change::Due { peer, id });
        }
    }

    /// Ids count where this account wrote them to the author of the receipt (KEZ-SEQ-026).
    fn take_receipt(&mut self, peer: &str, body: &Value) {
        let read = body["status"] == "read";
        let progress = if read { Progress::Read } else { Progress::Delivered };
        for id in body["ids"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (peer, id) = (peer.to_owned(), id.to_owned());
            let state = &self.store.state;
            if state.message(state.own(), &id).is_some_and(|held| held.to == peer) {
                self.progress(&id, progress, None);
            }
            self.store.change(Change::Receipt { peer, id, read });
        }
    }
}

/// Milliseconds of the broker's `2026-05-25T00:00:00.123456789Z`.
fn stamp(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(forms::time(&format!("{seconds}Z")).ok()? + millis)
}
