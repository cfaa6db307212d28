//! What a client holds after it has taken in an inbox from the beginning (KEZ-SEQ-014 to KEZ-SEQ-032).
use super::message::{self, Message, Role};
use crate::data::forms;
use crate::identity::keys::{PublicKey, Seed};
use crate::identity::primary::Primary;
use crate::problem::Code;
use serde_json::{json, Value};
use std::collections::HashMap;

const DAY_MILLIS: i64 = 86_400_000;
const BEFORE_MILLIS: i64 = 30 * DAY_MILLIS;
const AFTER_MILLIS: i64 = 600_000;

/// Types that a conversation does not show.
pub const NOT_SHOWN: [&str; 5] = ["receipt", "address_request", "address", "block_list", "device_position"];

/// A device's count of messages from one account to another.
type Count = ([u8; 32], [u8; 32], String);

#[derive(Default)]
struct Inbox {
    /// All messages in the order of the stream, with what is shown of them.
    held: Vec<(Message, Value)>,
    dropped: Vec<&'static str>,
    /// The next number that each count should reach.
    next: HashMap<Count, u64>,
}

/// Takes frames that were all stored at the time `now`.
pub fn take(seed: &Seed, now: i64, frames: &[Vec<u8>]) -> Value {
    let mut inbox = Inbox::default();
    for frame in frames {
        match message::open(seed, frame) {
            Ok(message) => inbox.hold(message, now),
            // A later version may read these: they are kept, not dropped (KEZ-SEQ-020).
            Err(problem) if matches!(problem.code, Code::SuiteUnsupported | Code::AlgorithmUnsupported) => (),
            Err(problem) => inbox.dropped.push(problem.code.text()),
        }
    }
    inbox.settle_receipts();
    let shown = |(message, view): (Message, Value)| is_shown(&message).then_some(view);
    let messages: Vec<Value> = inbox.held.into_iter().filter_map(shown).collect();
    json!({ "messages": messages, "dropped": inbox.dropped })
}

/// Whether an author's clock is off, by the time at which the broker stored the message (KEZ-SEQ-023).
pub fn is_suspicious(created_at: i64, stored_at: i64) -> bool {
    created_at < stored_at - BEFORE_MILLIS || created_at > stored_at + AFTER_MILLIS
}

const ADDRESS_SECONDS: i64 = 300;
const REQUEST_SECONDS: i64 = 86_400;

/// For how many more seconds the addresses of an `address` count, by its span, the seconds since the broker stored it
/// and the seconds since its nonce was asked with (KEZ-SEQ-060, KEZ-SEQ-061).
pub fn address_life(span: i64, stored: i64, asked: i64) -> i64 {
    if asked > REQUEST_SECONDS {
        return 0;
    }
    (span.min(ADDRESS_SECONDS) - stored).max(0)
}

fn kind(message: &Message) -> &str {
    message.body["type"].as_str().unwrap_or_default()
}

fn is_shown(message: &Message) -> bool {
    !NOT_SHOWN.contains(&kind(message))
}

fn view(message: &Message) -> Value {
    let text = message.body["text"].as_str().filter(|_| kind(message) == "text");
    let text = text.or(message.body["fallback"].as_str());
    let own = message.role != Role::Incoming;
    let mut view = json!({
        "peer": Primary::from(message.peer).to_string(),
        "direction": if own { "out" } else { "in" },
        "id": message.id,
        "text": text,
    });
    if own {
        view["state"] = json!("stored");
    }
    view
}

impl Inbox {
    fn hold(&mut self, message: Message, now: i64) {
        let twin = self
            .held
            .iter_mut()
            .find(|(held, _)| held.from == message.from && held.id == message.id);
        if let Some((held, view)) = twin {
            if held.hash != message.hash {
                view["equivocation"] = json!(true);
            }
            return;
        }
        let mut view = view(&message);
        let same_place = |held: &Message| {
            held.from == message.from
                && held.to == message.to
                && held.device == message.device
                && held.seq == message.seq
        };
        if self.held.iter().any(|(held, _)| same_place(held)) {
            view["fork"] = json!(true);
        }
        if message.role == Role::Incoming {
            let count = (*message.from.bytes(), *message.to.bytes(), message.device.clone());
            let next = self.next.entry(count).or_default();
            if message.seq > *next {
                view["gap"] = json!(message.seq - *next);
            }
            *next = (*next).max(message.seq + 1);
        }
        if is_suspicious(message.created_at, now) {
            view["suspicious"] = json!(true);
        }
        self.held.push((message, view));
    }

    /// A receipt counts for what its reader wrote to its author, and `read` is never taken back.
    fn settle_receipts(&mut self) {
        let mut best: HashMap<(PublicKey, String), &str> = HashMap::new();
        for (receipt, _) in self.held.iter().filter(|(message, _)| kind(message) == "receipt") {
            let read = receipt.body["status"] == "read";
            for id in receipt.body["ids"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let state = best.entry((receipt.from, id.to_owned())).or_insert("delivered");
                if read {
                    *state = "read";
                }
            }
        }
        for (message, view) in self.held.iter_mut().filter(|(message, _)| message.role == Role::Sent) {
            if let Some(state) = best.get(&(message.to, message.id.clone())) {
                view["state"] = json!(state);
            }
        }
    }
}

/// Frames from their base64url forms.
pub fn frames<'a>(texts: impl Iterator<Item = &'a str>) -> crate::problem::Result<Vec<Vec<u8>>> {
    texts.map(forms::from_base64url).collect()
}
