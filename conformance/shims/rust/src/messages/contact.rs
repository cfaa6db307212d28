//! The states of a contact (KEZ-SEQ-040 to KEZ-SEQ-053).
use crate::data::members::Members;
use crate::problem::{Code, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

const REMINDER_MILLIS: i64 = 86_400_000;

/// What happens to a name or a chain: columns of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Pinned,
    Other,
    Nobody,
    Extends,
    Behind,
    Rotates,
    Forks,
    Keeps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    Named,
    Offered,
    OfferedKept,
    Gone,
    GoneKept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chain {
    Whole,
    Behind,
    BehindKept,
    Rotated,
    RotatedKept,
    Forked,
    ForkedKept,
}

impl Name {
    fn stops(self) -> bool {
        matches!(self, Self::Offered | Self::Gone)
    }

    fn after(self, seen: Seen) -> Self {
        let kept = matches!(self, Self::OfferedKept | Self::GoneKept);
        match seen {
            Seen::Pinned => Self::Named,
            Seen::Other if kept => Self::OfferedKept,
            Seen::Other => Self::Offered,
            Seen::Nobody if kept => Self::GoneKept,
            Seen::Nobody => Self::Gone,
            Seen::Keeps if self == Self::Offered => Self::OfferedKept,
            Seen::Keeps if self == Self::Gone => Self::GoneKept,
            _ => self,
        }
    }
}

impl Chain {
    fn stops(self) -> bool {
        matches!(self, Self::Behind | Self::Rotated | Self::Forked)
    }

    pub fn is_rotated(self) -> bool {
        matches!(self, Self::Rotated | Self::RotatedKept)
    }

    fn after(self, seen: Seen) -> Self {
        match (self, seen) {
            (_, Seen::Forks) => Self::Forked,
            (Self::Behind | Self::BehindKept, Seen::Extends) => Self::Whole,
            (Self::Whole, Seen::Behind) => Self::Behind,
            (Self::ForkedKept, Seen::Behind) => Self::Forked,
            (Self::Whole | Self::Behind | Self::BehindKept | Self::ForkedKept, Seen::Rotates) => Self::Rotated,
            (Self::Behind, Seen::Keeps) => Self::BehindKept,
            (Self::Rotated, Seen::Keeps) => Self::RotatedKept,
            (Self::Forked, Seen::Keeps) => Self::ForkedKept,
            _ => self,
        }
    }
}

fn from_text<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_value(json!(text)).map_err(|_| Code::RequestMalformed.because("an unknown state"))
}

/// What a contact is to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Accepted,
    Requested,
    Blocked,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Contact {
    pub pinned: String,
    pub relation: Relation,
    pub name: Name,
    pub chain: Chain,
    /// The user has compared the safety number of the pinned key.
    confirmed: bool,
    names: Option<String>,
    rotated_to: Option<String>,
    noticed_at: Option<i64>,
}

impl Contact {
    pub fn new(pinned: String, relation: Relation) -> Self {
        Self {
            pinned,
            relation,
            name: Name::Named,
            chain: Chain::Whole,
            confirmed: false,
            names: None,
            rotated_to: None,
            noticed_at: None,
        }
    }

    pub fn read(state: Members<'_>) -> Result<Self> {
        let optional = |name| state.optional_text(name).map(|text| text.map(str::to_owned));
        Ok(Self {
            pinned: state.text("pinned")?.to_owned(),
            relation: from_text(state.text("relation")?)?,
            name: from_text(state.text("name")?)?,
            chain: from_text(state.text("chain")?)?,
            confirmed: state.flag("verified")?,
            names: optional("names")?,
            rotated_to: optional("rotated_to")?,
            noticed_at: state.has("noticed_at").then(|| state.time("noticed_at")).transpose()?,
        })
    }

    pub fn stops(&self) -> bool {
        self.name.stops() || self.chain.stops()
    }

    fn is_accepted(&self) -> bool {
        self.relation == Relation::Accepted
    }

    pub fn offered(&self) -> Option<&str> {
        match self.name {
            Name::Offered | Name::OfferedKept => self.names.as_deref(),
            _ if self.chain.is_rotated() => self.rotated_to.as_deref(),
            _ => None,
        }
    }

    /// Moves the states, and says what the user is told.
    pub fn see(&mut self, seen: Seen, key: Option<&str>, at: i64) -> Option<&'static str> {
        let before = (self.name, self.chain, self.offered().map(str::to_owned));
        self.name = self.name.after(seen);
        self.chain = self.chain.after(seen);
        match seen {
            Seen::Other => self.names = key.map(str::to_owned),
            Seen::Rotates => self.rotated_to = key.map(str::to_owned),
            _ => (),
        }
        if self.chain.is_rotated() || self.chain == Chain::Forked {
            self.confirmed = false;
        }
        let healed = seen == Seen::Pinned && before.0 != Name::Named
            || seen == Seen::Extends && before.1 != self.chain && self.chain == Chain::Whole;
        let changed = (self.name, self.chain, self.offered()) != (before.0, before.1, before.2.as_deref());
        let due = self
            .noticed_at
            .is_none_or(|noticed_at| at - noticed_at >= REMINDER_MILLIS);
        let notice = match seen {
            // The user has just decided, and knows.
            Seen::Keeps => {
                self.noticed_at = Some(at);
                None
            }
            _ if changed && self.stops() => Some("changed"),
            _ if healed => Some("healed"),
            Seen::Other if self.name == Name::OfferedKept && due => Some("offered"),
            _ => None,
        };
        let notice = notice.filter(|_| self.relation != Relation::Blocked);
        if notice.is_some() {
            self.noticed_at = Some(at);
        }
        notice
    }

    /// The offered key takes the place of the pinned one, by the word of the user, which names it.
    pub fn accept(&mut self, key: &str) -> Option<&'static str> {
        if self.offered() != Some(key) {
            return Some("not_offered");
        }
        self.pinned = key.to_owned();
        (self.name, self.chain, self.confirmed) = (Name::Named, Chain::Whole, false);
        (self.names, self.rotated_to, self.noticed_at) = (None, None, None);
        None
    }

    pub fn confirm(&mut self, key: &str) -> Option<&'static str> {
        if !self.is_accepted() || self.stops() || self.pinned != key {
            return Some("not_accepted");
        }
        self.confirmed = true;
        None
    }

    /// Something may be sent to the pinned key.
    pub fn sends(&self) -> bool {
        self.is_accepted() && !self.stops()
    }

    /// The user keeps the pinned key, and nothing stops.
    pub fn is_kept(&self) -> bool {
        !self.stops() && (self.name != Name::Named || self.chain != Chain::Whole)
    }

    pub fn is_verified(&self) -> bool {
        self.sends() && self.confirmed
    }

    /// How the offered key is told apart (KEZ-SEQ-046).
    pub fn origin(&self) -> &'static str {
        let handed_over = self.chain.is_rotated() && self.rotated_to.as_deref() == self.offered();
        if handed_over {
            "handed_over"
        } else {
            "unexplained"
        }
    }

    pub fn step(&mut self, event: Members<'_>) -> Result<Value> {
        let at = event.time("at")?;
        let key = event.optional_text("primary")?;
        let named = || key.ok_or_else(|| Code::RequestMalformed.because("an event without its key"));
        let (mut notice, mut refused) = (None, None);
        match event.text("event")? {
            "names" if named()? == self.pinned => notice = self.see(Seen::Pinned, key, at),
            "names" => notice = self.see(Seen::Other, key, at),
            "names_nobody" => notice = self.see(Seen::Nobody, key, at),
            "extends" => notice = self.see(Seen::Extends, key, at),
            "falls_behind" => notice = self.see(Seen::Behind, key, at),
            "rotates" => notice = self.see(Seen::Rotates, key, at),
            "forks" => notice = self.see(Seen::Forks, key, at),
            "user_keeps" => notice = self.see(Seen::Keeps, key, at),
            "user_accepts" => refused = self.accept(named()?),
            "user_confirms" => refused = self.confirm(named()?),
            _ => return Err(Code::RequestMalformed.because("an unknown event")),
        }
        let mut view = self.view();
        for (name, value) in [("notice", notice), ("refused", refused)] {
            if let Some(value) = value {
                view[name] = json!(value);
            }
        }
        Ok(view)
    }

    fn view(&self) -> Value {
        let mut view = json!({
            "pinned": self.pinned,
            "name": self.name,
            "chain": self.chain,
            "sends": self.sends(),
            "number": if self.stops() && self.offered().is_some() { "offered" } else { "pinned" },
            "verified": self.is_verified(),
        });
        if let Some(key) = self.offered() {
            view["offered"] = json!({ "primary": key, "origin": self.origin() });
        }
        view
    }
}
