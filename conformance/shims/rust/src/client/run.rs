//! The loop of a client: requests, what comes from the broker, and what is due.
use super::link::Link;
use super::nats::Event;
use super::outbox::Lane;
use super::servers::{Description, Servers};
use super::state::Change;
use super::store::Store;
use crate::broker::positions::Taken;
use crate::data::forms;
use crate::identity::keys::{PublicKey, Seed};
use crate::problem::{Code, Result};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub enum Input {
    Request {
        operation: String,
        args: Value,
        reply: Sender<Result<Value>>,
    },
    /// Something from the connection of this number.
    Broker(u64, Event),
    Close(Sender<()>),
}

/// A request to do what is due, until nothing is left or the time is over.
pub struct Sync {
    deadline: Instant,
    /// How often connecting had failed when it began.
    failures: u64,
    reply: Sender<Result<Value>>,
}

/// How often a client looks at its clock, while somebody waits and otherwise.
const TICK_WAITED: Duration = Duration::from_millis(10);
const TICK: Duration = Duration::from_millis(100);
/// How often a sync lets connecting fail.
const ATTEMPTS: u64 = 2;

pub struct Client {
    pub seed: Seed,
    pub own: PublicKey,
    pub servers: Servers,
    pub store: Store,
    pub inputs: Sender<Input>,
    pub link: Link,
    pub taken: Taken,
    pub lanes: HashMap<String, Lane>,
    /// When the last receipt went to a peer.
    pub receipted: HashMap<String, Instant>,
    /// Contacts that a message gave reason to look at.
    pub looks: BTreeSet<String>,
    /// Block decisions that the home has yet to confirm.
    pub unconfirmed: BTreeMap<String, Instant>,
    syncs: Vec<Sync>,
}

/// How much later than the machine this process takes it to be, in milliseconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

fn move_clock(seconds: i64) {
    AHEAD.fetch_add(1_000 * seconds, Ordering::Relaxed);
}

/// Milliseconds since 1970, by the clock that everything here goes by.
pub fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64) + AHEAD.load(Ordering::Relaxed)
}

pub fn now_text() -> String {
    forms::time_text(now_millis())
}

fn text<'a>(args: &'a Value, name: &str) -> Result<&'a str> {
    args[name]
        .as_str()
        .ok_or_else(|| Code::RequestMalformed.because(format!("no argument {name}")))
}

impl Client {
    pub fn new(seed: Seed, servers: Servers, store: Store, inputs: Sender<Input>) -> Self {
        let looks = store.state.contacts.values();
        let looks = looks.filter(|card| !card.named.is_empty() || card.chain.is_empty());
        let looks = looks.map(|card| card.contact.pinned.clone()).collect();
        let unconfirmed = store
            .state
            .blocks
            .keys()
            .map(|who| (who.clone(), Instant::now()))
            .collect();
        Self {
            own: seed.public_key(),
            seed,
            servers,
            store,
            inputs,
            link: Link::new(),
            taken: Taken::default(),
            lanes: HashMap::new(),
            receipted: HashMap::new(),
            looks,
            unconfirmed,
            syncs: Vec::new(),
        }
    }

    /// The description of the home server that was read last.
    pub fn description(&self) -> Result<Description> {
        let text = self.store.state.home.as_deref().unwrap_or_default();
        let json = serde_json::from_str(text).map_err(super::net::unreachable)?;
        Description::read(&json)
    }

    /// Reads the description again, and checks that it is of this account's server (KEZ-REG-030).
    pub fn describe(&mut self, server: &str) -> Result<Description> {
        let text = self.servers.description()?;
        let description = Description::read(&serde_json::from_str(&text).map_err(super::net::unreachable)?)?;
        if description.server != server {
            return Err(Code::WrongServer.because("the home server describes itself by another name"));
        }
        if self.store.state.home.as_deref() != Some(&text) {
            self.store.change(Change::Home(text));
            self.store.commit();
        }
        Ok(description)
    }

    pub fn run(&mut self, queue: &Receiver<Input>) {
        loop {
            self.work();
            let tick = if self.syncs.is_empty() { TICK } else { TICK_WAITED };
            match queue.recv_timeout(tick) {
                Ok(Input::Request { operation, args, reply }) => self.serve(&operation, &args, reply),
                Ok(Input::Broker(connection, event)) => self.hear(connection, event),
                Ok(Input::Close(done)) => {
                    self.store.commit();
                    return drop(done);
                }
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Does what is due.
    fn work(&mut self) {
        self.expire();
        self.connect_if_due();
        if self.link.is_connected() {
            self.fetch_if_needed();
            self.write_receipts();
            self.note_blocks_if_due();
            self.store.commit();
            self.send_copies();
            self.repeat_blocks();
        }
        self.look_at_contacts();
        self.answer_syncs();
    }

    /// How long something may take without that a sync ends late.
    pub fn patience(&self, at_most: Duration) -> Duration {
        let deadline = self.syncs.iter().map(|sync| sync.deadline).min();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(at_most, |left| left.clamp(Duration::from_millis(100), at_most))
    }

    fn is_busy(&self) -> bool {
        !self.link.is_connected()
            || self.link.is_fetching()
            || self.has_copies_to_send()
            || self.has_receipts_to_write()
            || self.has_blocks_to_repeat()
            || !self.looks.is_empty()
    }

    fn answer_syncs(&mut self) {
        let now = Instant::now();
        let (connected, busy) = (self.link.is_connected(), self.is_busy());
        let unreachable = || Err(super::net::unreachable("the broker cannot be reached"));
        let failures = self.link.failures_in_all;
        self.syncs.retain(|sync| {
            let failed = failures - sync.failures;
            let hopeless = failed >= ATTEMPTS || failed > 0 && self.link.rests_beyond(sync.deadline);
            let answer = if !connected && (hopeless || now >= sync.deadline) {
                unreachable()
            } else if !busy || now >= sync.deadline {
                Ok(json!({}))
            } else {
                return true;
            };
            let _ = sync.reply.send(answer);
            false
        });
    }

    fn sync(&mut self, millis: u64, reply: Sender<Result<Value>>) {
        self.link.hurry();
        for lane in self.lanes.values_mut() {
            lane.hurry();
        }
        let waiting = self
            .store
            .state
            .contacts
            .values()
            .filter(|card| !card.named.is_empty() || card.chain.is_empty());
        self.looks.extend(waiting.map(|card| card.contact.pinned.clone()));
        self.syncs.push(Sync {
            deadline: Instant::now() + Duration::from_millis(millis),
            failures: self.link.failures_in_all,
            reply,
        });
    }

    fn serve(&mut self, operation: &str, args: &Value, reply: Sender<Result<Value>>) {
        let answer = match operation {
            "sync" => return self.sync(args["millis"].as_u64().unwrap_or(1_000), reply),
            "trim" => return self.trim(args["box"] == "self", reply),
            _ => self.answer(operation, args),
        };
        // What is answered holds, also where the process is killed now.
        self.store.commit();
        let _ = reply.send(answer);
    }

    fn answer(&mut self, operation: &str, args: &Value) -> Result<Value> {
        let who = || text(args, "who");
        match operation {
            "connection" => Ok(self.link.view()),
            "contacts" => Ok(self.contacts_view()),
            "add" => self.add(who()?),
            "refresh" => self.refresh(who()?),
            "accept" => self.accept(who()?, args["primary"].as_str()),
            "keep" => self.keep(who()?),
            "confirm" => self.confirm(who()?, text(args, "primary")?),
            "block" => self.block(who()?, true),
            "unblock" => self.block(who()?, false),
            "safetyNumber" => self.safety_number(who()?),
            "send" => self.send(who()?, text(args, "text")?),
            "messages" => self.messages_view(who()?),
            // Receipts that tell of it are off, as there is no way here to switch them on (KEZ-SEQ-029).
            "markRead" => self.contact_or_self(who()?).map(|_| json!({})),
            "manifest" => self.manifest(who()?),
            "clock" => {
                move_clock(args["forward"].as_i64().unwrap_or_default());
                Ok(json!({}))
            }
            _ => Err(Code::RequestMalformed.because("an unknown operation")),
        }
    }
}
