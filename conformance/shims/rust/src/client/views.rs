//! What a user is shown.
use super::run::Client;
use super::state::{head, Card, Held};
use crate::identity::primary::Primary;
use crate::identity::safety_number;
use crate::messages::contact::{Chain, Name, Relation};
use crate::problem::{Code, Result};
use serde_json::{json, Value};

/// The text of a message, its fallback, or a sentence of this client's own.
pub fn shown_text(body: &Value) -> String {
    let text = |name: &str| body[name].as_str();
    match (text("type"), text("text"), text("filename"), text("fallback")) {
        (Some("text"), Some(text), _, _) => text.to_owned(),
        (Some("file_share"), _, Some(name), _) => format!("A file: {}", plain(name)),
        // Its fallback may name somebody else (KEZ-PRF-173).
        (Some("introduction"), ..) => {
            let verb = if body["withdrawn"] == true {
                "Takes back the introduction of"
            } else {
                "Introduces"
            };
            let (handle, primary) = (text("handle"), text("primary"));
            format!(
                "{verb} {}: {}",
                handle.unwrap_or("somebody"),
                primary.unwrap_or_default()
            )
        }
        (_, _, _, Some(fallback)) => plain(fallback),
        _ => "This version cannot show this message.".to_owned(),
    }
}

/// Without characters that could make a text look like something else.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|c| !hidden(*c)).collect()
}

fn head_text(hashes: &[String]) -> String {
    head(hashes).map_or_else(
        || "none".to_owned(),
        |head| format!("event {} ({})", head.seq, head.hash),
    )
}

/// What is said of a contact whose name or chain is not as it was.
fn warning(card: &Card) -> Option<String> {
    let known = || {
        let higher = card.named.iter().max_by_key(|head| head.seq);
        let higher = higher.filter(|head| head.seq >= card.chain.len() as u64 || card.contact.chain == Chain::Forked);
        higher.map_or_else(
            || head_text(&card.chain),
            |head| format!("event {} ({})", head.seq, head.hash),
        )
    };
    let shown = || {
        card.shown
            .as_ref()
            .map_or_else(|| head_text(&card.chain), |(hashes, _)| head_text(hashes))
    };
    let chain = match card.contact.chain {
        Chain::Whole => None,
        Chain::Behind | Chain::BehindKept => Some(format!(
            "The server shows the contact's chain only up to {}, and {} was seen before.",
            shown(),
            known()
        )),
        Chain::Forked | Chain::ForkedKept => Some(format!(
            "Two chains of this contact disagree: the server shows one that ends in {}, and {} was seen before.",
            shown(),
            known()
        )),
        Chain::Rotated | Chain::RotatedKept => Some("The contact's key has named another key in its place.".to_owned()),
    };
    let name = match card.contact.name {
        Name::Named => None,
        Name::Offered | Name::OfferedKept if card.contact.origin() == "handed_over" => {
            Some("The home server names another key for this handle, the one that the old key handed over to.".to_owned())
        }
        Name::Offered | Name::OfferedKept => Some(
            "WARNING: the home server names another key for this handle, and nothing explains it. Compare safety numbers."
                .to_owned(),
        ),
        Name::Gone | Name::GoneKept => Some("The home server does not know this handle any more.".to_owned()),
    };
    let sentences: Vec<String> = chain.into_iter().chain(name).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

impl Client {
    pub fn contacts_view(&self) -> Value {
        self.store
            .state
            .contacts
            .keys()
            .map(|primary| self.contact_view(primary))
            .collect()
    }

    pub fn contact_view(&self, primary: &str) -> Value {
        let card = &self.store.state.contacts[primary];
        let contact = &card.contact;
        let state = match contact.relation {
            Relation::Accepted if contact.stops() => "changed",
            Relation::Accepted => "accepted",
            Relation::Requested => "requested",
            Relation::Blocked => "blocked",
        };
        let mut view = json!({
            "primary": primary,
            "handle": card.handle.as_deref().unwrap_or(primary),
            "state": state,
            "verified": contact.is_verified(),
        });
        let name = match contact.name {
            Name::Named => None,
            Name::Offered | Name::OfferedKept => Some("offered"),
            Name::Gone | Name::GoneKept => Some("gone"),
        };
        let chain = match contact.chain {
            Chain::Whole => None,
            Chain::Behind | Chain::BehindKept => Some("behind"),
            Chain::Rotated | Chain::RotatedKept => Some("rotated"),
            Chain::Forked | Chain::ForkedKept => Some("forked"),
        };
        for (member, value) in [("name", name), ("chain", chain)] {
            if let Some(value) = value {
                view[member] = json!(value);
            }
        }
        if contact.is_kept() {
            view["kept"] = json!(true);
        }
        if let Some(key) = contact.offered() {
            view["offered"] = json!({ "primary": key, "origin": contact.origin() });
        }
        if let Some(head) = card.head() {
            view["head"] = json!(head);
        }
        if let Some(warning) = warning(card) {
            view["warning"] = json!(warning);
        }
        view
    }

    pub fn safety_number(&self, who: &str) -> Result<Value> {
        let primary = self.contact_or_self(who)?;
        let card = self.store.state.contacts.get(&primary);
        let card = card.ok_or_else(|| Code::ContactUnknown.because("one compares no number with oneself"))?;
        let number = |key: &str| -> Result<String> {
            let digest = safety_number::digest(&self.own, &Primary::parse_account(key)?);
            Ok(safety_number::number(&digest))
        };
        let mut view = json!({ "number": number(&primary)? });
        if let Some(key) = card.contact.offered() {
            view["offered"] = json!({ "primary": key });
            // A rotation can name a key that has no safety number.
            if let Ok(number) = number(key) {
                view["offered"]["number"] = json!(number);
            }
        }
        Ok(view)
    }

    /// A conversation in the order of the stream; by a handle also that with keys which were pinned before.
    pub fn messages_view(&self, who: &str) -> Result<Value> {
        let state = &self.store.state;
        let own = state.own();
        let device = state.device.as_deref().unwrap_or_default();
        let primary = self.contact_or_self(who)?;
        let card = state.contacts.get(&primary);
        let blocked = card.is_some_and(|card| card.contact.relation == Relation::Blocked);
        let previous = card.map_or(&[][..], |card| &card.previous);
        let is_meant = |peer: &str| match who.starts_with("ed25519:") {
            true => peer == who,
            false => peer == primary || previous.iter().any(|(key, _)| key == peer),
        };
        let shown = |held: &&Held| held.text.is_some() && is_meant(held.peer(own)) && !(blocked && held.from != own);
        // What was written here and has no place yet stands behind what was held then, and behind what was written before.
        let mut written = (0, 0);
        let mut in_order = |held: &Held| {
            let mut place = held.place;
            if held.from == own && held.device == device {
                if !held.placed {
                    place = place.max(written);
                }
                written = written.max(place);
            }
            (place, !held.placed)
        };
        let messages = state.messages.iter().filter(shown);
        let mut messages: Vec<_> = messages.map(|held| (in_order(held), held)).collect();
        messages.sort_by_key(|(place, _)| *place);
        Ok(messages.into_iter().map(|(_, held)| message_view(held, own)).collect())
    }
}

fn message_view(held: &Held, own: &str) -> Value {
    let direction = if held.from == own { "out" } else { "in" };
    let mut view = json!({
        "id": held.id,
        "peer": held.peer(own),
        "direction": direction,
        "type": held.kind,
        "text": held.text,
    });
    for (member, value) in [
        ("state", held.progress.map(|progress| json!(progress))),
        ("reason", held.reason.as_ref().map(|reason| json!(reason))),
        ("gap", held.gap.map(|gap| json!(gap))),
    ] {
        if let Some(value) = value {
            view[member] = value;
        }
    }
    for (member, borne) in [
        ("equivocation", held.equivocation),
        ("fork", held.fork),
        ("suspicious", held.suspicious),
        ("retired", held.retired),
    ] {
        if borne {
            view[member] = json!(true);
        }
    }
    view
}
