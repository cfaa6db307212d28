//! The state of a client, and the changes that lead to it.
use crate::broker::positions::Positions;
use crate::messages::contact::{Contact, Relation};
use crate::statements::sigchain::Head;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    pub primary: String,
    pub handle: String,
}

/// A contact, or the author of a message request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {
    pub contact: Contact,
    /// The relation to which an unblocked contact returns.
    pub relation: Relation,
    pub handle: Option<String>,
    /// Hashes of the chain up to the highest head that was verified.
    pub chain: Vec<String>,
    /// Heads that the contact's own messages named, and that are not in the chain.
    pub named: Vec<Head>,
    /// The chain that was shown last, where it is another one, and whether it ends in a rotation.
    pub shown: Option<(Vec<String>, bool)>,
    /// Its chain names an inbox.
    pub has_inbox: bool,
    /// Keys that were pinned before, each with when another one was accepted in its place.
    pub previous: Vec<(String, i64)>,
}

impl Card {
    pub fn new(primary: &str, relation: Relation) -> Self {
        Self {
            contact: Contact::new(primary.to_owned(), relation),
            relation,
            handle: None,
            chain: Vec::new(),
            named: Vec::new(),
            shown: None,
            has_inbox: false,
            previous: Vec::new(),
        }
    }

    pub fn head(&self) -> Option<Head> {
        head(&self.chain)
    }
}

pub fn head(hashes: &[String]) -> Option<Head> {
    let hash = hashes.last()?.clone();
    let seq = hashes.len() as u64 - 1;
    Some(Head { seq, hash })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Queued,
    Stored,
    Delivered,
    Read,
    Failed,
}

/// A message that is held.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Held {
    pub from: String,
    pub to: String,
    pub id: String,
    pub device: String,
    pub seq: u64,
    pub hash: String,
    pub kind: String,
    /// What is shown; none for what is never shown.
    pub text: Option<String>,
    /// Of messages of this account.
    pub progress: Option<Progress>,
    pub reason: Option<String>,
    pub gap: Option<u64>,
    pub equivocation: bool,
    pub fork: bool,
    pub suspicious: bool,
    /// Its author's key was no longer the contact's when it was stored.
    pub retired: bool,
    /// Life of the stream, and number in it.
    pub place: (u64, u64),
    /// It was seen there; else it stands behind what was held when it was written.
    pub placed: bool,
}

impl Held {
    pub fn key(&self) -> (String, String) {
        (self.from.clone(), self.id.clone())
    }

    /// The other account of the conversation.
    pub fn peer(&self, own: &str) -> &str {
        if self.from == own {
            &self.to
        } else {
            &self.from
        }
    }
}

/// A frame that waits for the home server's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Copy {
    pub number: u64,
    /// The account whose inbox it goes to.
    pub to: String,
    /// The addressee of the message in it.
    pub peer: String,
    pub message: String,
    pub kez_id: String,
    /// base64url
    pub frame: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Block {
    pub blocked: bool,
    pub rev: u64,
}

/// The highest manifest of an owner that was seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    pub revision: u64,
    pub hash: String,
    pub body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Change {
    Device(String),
    Account(Account),
    OwnChain(Vec<String>),
    /// The description of the home server that was read last.
    Home(String),
    Contact(Box<Card>),
    NoContact(String),
    Message(Box<Held>),
    Placed {
        from: String,
        id: String,
        place: (u64, u64),
    },
    Equivocated {
        from: String,
        id: String,
    },
    Progress {
        id: String,
        progress: Progress,
        reason: Option<String>,
    },
    Receipt {
        peer: String,
        id: String,
        read: bool,
    },
    Queued(Box<Copy>),
    Dropped(u64),
    Due {
        peer: String,
        id: String,
    },
    Receipted {
        peer: String,
        ids: Vec<String>,
    },
    /// All blocks are noted, at this time in milliseconds.
    BlocksNoted(i64),
    Block {
        who: String,
        block: Block,
    },
    Positions(Positions),
    /// A frame that a later version may read.
    Kept {
        seq: u64,
        frame: String,
    },
    /// A frame that nobody can read, and its code.
    Invalid {
        seq: u64,
        code: String,
    },
    Manifest {
        owner: String,
        seen: Seen,
    },
}

#[derive(Default)]
pub struct State {
    pub device: Option<String>,
    pub account: Option<Account>,
    pub own_chain: Vec<String>,
    pub home: Option<String>,
    pub contacts: BTreeMap<String, Card>,
    pub messages: Vec<Held>,
    /// Places in `messages` by author and id.
    held: HashMap<(String, String), usize>,
    /// (`from`, `to`, `device`, `seq`) of all messages.
    numbers: HashSet<(String, String, String, u64)>,
    /// The next number expected of each (`from`, `to`, `device`).
    next: HashMap<(String, String, String), u64>,
    /// How many messages are missing since the last one shown, by author and device.
    missing: HashMap<(String, String), u64>,
    /// What receipts said of messages to a peer: whether they were read.
    receipts: HashMap<(String, String), bool>,
    pub outbox: BTreeMap<u64, Copy>,
    pub due: BTreeMap<String, Vec<String>>,
    pub blocks: BTreeMap<String, Block>,
    pub blocks_noted: i64,
    pub positions: Positions,
    /// How many epochs there were.
    pub life: u64,
    pub next_copy: u64,
    pub manifests: HashMap<String, Seen>,
}

impl State {
    pub fn message(&self, from: &str, id: &str) -> Option<&Held> {
        let at = self.held.get(&(from.to_owned(), id.to_owned()))?;
        Some(&self.messages[*at])
    }

    fn message_mut(&mut self, from: &str, id: &str) -> Option<&mut Held> {
        let at = self.held.get(&(from.to_owned(), id.to_owned()))?;
        Some(&mut self.messages[*at])
    }

    pub fn own(&self) -> &str {
        self.account.as_ref().map_or("", |account| &account.primary)
    }

    /// The number after the highest one held.
    pub fn next_number(&self, from: &str, to: &str, device: &str) -> u64 {
        let count = (from.to_owned(), to.to_owned(), device.to_owned());
        self.next.get(&count).copied().unwrap_or(0)
    }

    pub fn missing_before(&self, from: &str, device: &str) -> u64 {
        let device = (from.to_owned(), device.to_owned());
        self.missing.get(&device).copied().unwrap_or(0)
    }

    pub fn is_number_taken(&self, held: &Held) -> bool {
        self.numbers.contains(&number(held))
    }

    /// How far a message to a peer has come by its receipts.
    pub fn receipted(&self, peer: &str, id: &str) -> Option<Progress> {
        let read = self.receipts.get(&(peer.to_owned(), id.to_owned()))?;
        Some(if *read { Progress::Read } else { Progress::Delivered })
    }

    pub fn is_blocked(&self, who: &str) -> bool {
        self.blocks.get(who).is_some_and(|block| block.blocked)
    }

    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Device(device) => self.device = Some(device),
            Change::Account(account) => self.account = Some(account),
            Change::OwnChain(chain) => self.own_chain = chain,
            Change::Home(home) => self.home = Some(home),
            Change::Contact(card) => {
                self.contacts.insert(card.contact.pinned.clone(), *card);
            }
            Change::NoContact(primary) => {
                self.contacts.remove(&primary);
            }
            Change::Message(held) => self.hold(*held),
            Change::Placed { from, id, place } => {
                if let Some(held) = self.message_mut(&from, &id) {
                    (held.place, held.placed) = (place, true);
                }
            }
            Change::Equivocated { from, id } => {
                if let Some(held) = self.message_mut(&from, &id) {
                    held.equivocation = true;
                }
            }
            Change::Progress { id, progress, reason } => {
                let own = self.own().to_owned();
                if let Some(held) = self.message_mut(&own, &id) {
                    (held.progress, held.reason) = (Some(progress), reason);
                }
            }
            Change::Receipt { peer, id, read } => {
                *self.receipts.entry((peer, id)).or_default() |= read;
            }
            Change::Queued(copy) => {
                self.next_copy = copy.number + 1;
                self.outbox.insert(copy.number, *copy);
            }
            Change::Dropped(number) => {
                self.outbox.remove(&number);
            }
            Change::Due { peer, id } => self.due.entry(peer).or_default().push(id),
            Change::Receipted { peer, ids } => {
                if let Some(due) = self.due.get_mut(&peer) {
                    due.retain(|id| !ids.contains(id));
                }
            }
            Change::BlocksNoted(at) => self.blocks_noted = at,
            Change::Block { who, block } => {
                self.blocks.insert(who, block);
            }
            Change::Positions(positions) => {
                self.life += u64::from(positions.epoch != self.positions.epoch);
                self.positions = positions;
            }
            // They are kept for a later version, which reads the journal.
            Change::Kept { .. } | Change::Invalid { .. } => (),
            Change::Manifest { owner, seen } => {
                self.manifests.insert(owner, seen);
            }
        }
    }

    fn hold(&mut self, held: Held) {
        let next = self
            .next
            .entry((held.from.clone(), held.to.clone(), held.device.clone()))
            .or_default();
        *next = (*next).max(held.seq + 1);
        let missing = held.gap.filter(|_| held.text.is_none()).unwrap_or(0);
        self.missing.insert((held.from.clone(), held.device.clone()), missing);
        self.numbers.insert(number(&held));
        self.held.insert(held.key(), self.messages.len());
        self.messages.push(held);
    }
}

fn number(held: &Held) -> (String, String, String, u64) {
    (held.from.clone(), held.to.clone(), held.device.clone(), held.seq)
}
