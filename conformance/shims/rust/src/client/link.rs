//! The connection to the broker: logging in, pauses, requests and their answers.
use super::nats::{Connection, Event, Greeted, Message};
use super::net::{self, unreachable};
use super::run::{Client, Input};
use crate::broker::login;
use crate::data::members::Members;
use crate::data::{forms, strict_json};
use crate::problem::{Code, Problem, Result};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use url::Url;

const DIAL_PATIENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A server that closes a connection so soon after login, so often, is left alone for so long (KEZ-NAT-053).
const SOON: Duration = Duration::from_secs(60);
const CLOSURES: u32 = 3;
const TIME_OUT: Duration = Duration::from_secs(600);
/// How long a request waits for its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(3);
/// Requests without an answer at one time (KEZ-NAT-054).
const SENDS: usize = 64;
/// A connection on which so many requests in a row stay without an answer is given up.
const UNANSWERED: u32 = 4;
const ANSWER_LIMIT: usize = 256;
const TRIM_ANSWER_LIMIT: usize = 1_024;

/// What a request asked.
pub enum Asked {
    Send {
        copy: u64,
    },
    Fetch {
        n: [u8; 16],
        after: u64,
    },
    Trim {
        n: String,
        own: bool,
        reply: Sender<Result<Value>>,
    },
    Block {
        who: String,
        blocked: bool,
        n: String,
    },
}

struct Request {
    asked: Asked,
    deadline: Instant,
}

/// What came of a request to a responder of the home server.
pub enum Answer {
    Done(Value),
    Refused {
        code: Code,
        at: Option<i64>,
    },
    /// None, or one that is none.
    Nothing,
}

pub struct Link {
    connection: Option<Connection>,
    number: u64,
    reason: Option<String>,
    retry_at: Instant,
    /// Attempts that failed one after another.
    failures: u32,
    pub failures_in_all: u64,
    /// The server that closed connections soon after login, and how often in a row.
    closures: (String, u32),
    left_alone_until: Option<Instant>,
    requests: HashMap<String, Request>,
    /// Requests without an answer since the broker was heard last.
    unanswered: u32,
    pub fetch_wanted: bool,
    pub fetch_not_before: Instant,
}

/// Growing, and with some chance in it.
pub fn pause(failures: u32) -> Duration {
    let grown = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let [chance] = forms::random::<1>();
    grown.mul_f64(0.75 + f64::from(chance) / 512.0)
}

impl Link {
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            connection: None,
            number: 0,
            reason: Some("not connected yet".into()),
            retry_at: now,
            failures: 0,
            failures_in_all: 0,
            closures: (String::new(), 0),
            left_alone_until: None,
            requests: HashMap::new(),
            unanswered: 0,
            fetch_wanted: false,
            fetch_not_before: now,
        }
    }

    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Connecting is not tried again before this time.
    pub fn rests_beyond(&self, time: Instant) -> bool {
        !self.is_connected() && self.retry_at > time
    }

    pub fn view(&self) -> Value {
        let mut view = json!({ "connected": self.is_connected() });
        if let Some(reason) = self.reason.as_ref().filter(|_| !self.is_connected()) {
            view["reason"] = json!(reason);
        }
        view
    }

    /// Ends pauses, since somebody waits.
    pub fn hurry(&mut self) {
        let now = Instant::now();
        (self.retry_at, self.fetch_not_before) = (now, now);
        self.fetch_wanted = true;
    }

    fn is_asked(&self, what: impl Fn(&Asked) -> bool) -> bool {
        self.requests.values().any(|request| what(&request.asked))
    }

    pub fn is_sending(&self, copy: u64) -> bool {
        self.is_asked(|asked| matches!(asked, Asked::Send { copy: other } if *other == copy))
    }

    pub fn sending(&self) -> Vec<u64> {
        let copy = |request: &Request| match request.asked {
            Asked::Send { copy } => Some(copy),
            _ => None,
        };
        self.requests.values().filter_map(copy).collect()
    }

    pub fn may_send(&self) -> bool {
        self.sending().len() < SENDS
    }

    pub fn is_fetch_open(&self) -> bool {
        self.is_asked(|asked| matches!(asked, Asked::Fetch { .. }))
    }

    pub fn is_fetching(&self) -> bool {
        self.fetch_wanted || self.is_fetch_open()
    }

    pub fn is_blocking(&self, name: &str) -> bool {
        self.is_asked(|asked| matches!(asked, Asked::Block { who, .. } if who == name))
    }

    fn failed(&mut self, reason: String) {
        self.reason = Some(reason);
        self.retry_at = Instant::now() + pause(self.failures);
        self.failures += 1;
        self.failures_in_all += 1;
    }

    /// Counts a connection that ended soon after its login.
    fn closed_soon(&mut self, server_id: &str) {
        if self.closures.0 != server_id {
            self.closures = (server_id.to_owned(), 0);
        }
        self.closures.1 += 1;
        if self.closures.1 >= CLOSURES {
            self.left_alone_until = Some(Instant::now() + TIME_OUT);
        }
    }

    /// The broker has closed the connections of this client again and again, and the time for that is not over.
    fn is_left_alone(&mut self, server_id: &str) -> bool {
        if self.left_alone_until.is_some_and(|until| until <= Instant::now()) {
            self.left_alone_until = None;
            self.closures.1 = 0;
        }
        self.left_alone_until.is_some() && self.closures.0 == server_id
    }
}

impl Client {
    pub fn connect_if_due(&mut self) {
        if self.link.is_connected() || Instant::now() < self.link.retry_at {
            return;
        }
        match self.connect() {
            Ok(connection) => {
                self.link.connection = Some(connection);
                self.link.reason = None;
                self.link.hurry();
                self.subscribe();
                self.refresh_own_chain();
            }
            Err(problem) => self.link.failed(match problem.code {
                Code::Unreachable => problem.message.into_owned(),
                _ => problem.to_string(),
            }),
        }
    }

    fn connect(&mut self) -> Result<Connection> {
        let patience = self.patience(DIAL_PATIENCE);
        self.servers.http.patience = patience;
        let server = self.server().to_owned();
        let description = match self.describe(&server) {
            Err(problem) if problem.code == Code::Unreachable => self.description()?,
            description => description?,
        };
        let mut last = unreachable("the home server names no broker over TCP");
        for url in &description.tcp {
            match self.connect_to(url, patience) {
                Ok(connection) => return Ok(connection),
                Err(problem) => last = problem,
            }
        }
        Err(last)
    }

    fn connect_to(&mut self, url: &str, patience: Duration) -> Result<Connection> {
        let host = login::host(url)?;
        let rest = url
            .strip_prefix("nats://")
            .ok_or_else(|| unreachable("this client has no TLS"))?;
        let port = Url::parse(&format!("nats://{rest}"))
            .ok()
            .and_then(|url| url.port())
            .unwrap_or(4222);
        let addresses = net::named_addresses(self.servers.class, &host, port)?;
        if !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(unreachable(
                "this client has no TLS, and the broker is on another machine",
            ));
        }
        let greeted = Greeted::dial(&addresses, patience)?;
        if self.link.is_left_alone(&greeted.server_id) {
            let why = "the broker closed the connection three times soon after login; this client waits ten minutes";
            return Err(unreachable(why));
        }
        self.link.number += 1;
        let (number, inputs) = (self.link.number, self.inputs.clone());
        let emit = move |event| drop(inputs.send(Input::Broker(number, event)));
        greeted.login(&self.seed, &host, emit)
    }

    fn digits(&self) -> String {
        forms::hex(self.own.bytes())
    }

    /// Live delivery is subscribed to before anything is fetched (KEZ-SEQ-003).
    fn subscribe(&mut self) {
        let digits = self.digits();
        let subjects = [format!("_INBOX_{digits}.>"), format!("kez.dlv.{digits}")];
        let connection = self.link.connection.as_ref();
        let mut sids = 1..;
        let failed = connection.and_then(|connection| {
            let mut subscribe = |subject: &String| connection.subscribe(subject, sids.next()?).err();
            subjects.iter().find_map(&mut subscribe)
        });
        if let Some(error) = failed {
            self.closed(&error.to_string());
        }
    }

    /// Makes a request of the responder for `subject`.
    pub fn request(&mut self, subject: &str, asked: Asked, kez_id: Option<&str>, payload: &[u8]) {
        let token = forms::hex(&forms::random::<16>());
        let reply = format!("_INBOX_{}.{token}", self.digits());
        let deadline = Instant::now() + ANSWER_PATIENCE;
        self.link.requests.insert(token, Request { asked, deadline });
        let connection = self.link.connection.as_ref();
        let sent = connection.map(|connection| connection.request(subject, &reply, kez_id, payload));
        match sent {
            Some(Ok(())) => (),
            Some(Err(error)) => self.closed(&error.to_string()),
            None => self.hang_up("not connected"),
        }
    }

    /// The broker has ended the connection.
    fn closed(&mut self, reason: &str) {
        if let Some(connection) = &self.link.connection {
            let server_id = connection.server_id.clone();
            if connection.since.elapsed() < SOON {
                self.link.closed_soon(&server_id);
            } else {
                self.link.closures.1 = 0;
            }
        }
        self.hang_up(reason);
    }

    /// The connection has ended, or is of no use any more.
    fn hang_up(&mut self, reason: &str) {
        if let Some(connection) = self.link.connection.take() {
            if connection.since.elapsed() >= SOON {
                self.link.failures = 0;
            }
            self.link.unanswered = 0;
            self.link.retry_at = Instant::now() + pause(self.link.failures);
            self.link.failures += 1;
            self.link.reason = Some(format!("the connection to the broker ended: {reason}"));
        }
        for (_, request) in std::mem::take(&mut self.link.requests) {
            self.answered(request.asked, Answer::Nothing, None);
        }
    }

    /// Takes requests whose time is over as not answered.
    pub fn expire(&mut self) {
        let now = Instant::now();
        let over = |(token, request): (&String, &Request)| (request.deadline <= now).then(|| token.clone());
        let over: Vec<String> = self.link.requests.iter().filter_map(over).collect();
        for token in over {
            if let Some(request) = self.link.requests.remove(&token) {
                self.link.unanswered += 1;
                self.answered(request.asked, Answer::Nothing, None);
            }
        }
        if self.link.unanswered >= UNANSWERED {
            self.hang_up("it does not answer");
        }
    }

    pub fn hear(&mut self, number: u64, event: Event) {
        if number != self.link.number {
            return;
        }
        self.link.unanswered = 0;
        match event {
            Event::Closed(reason) => self.closed(&reason),
            Event::Message(message) => {
                let prefix = format!("_INBOX_{}.", self.digits());
                match message.subject.strip_prefix(&prefix) {
                    None => self.take_live(&message),
                    Some(token) => {
                        if let Some(request) = self.link.requests.remove(token) {
                            self.read_answer(request, token.to_owned(), message);
                        }
                    }
                }
            }
        }
    }

    fn read_answer(&mut self, request: Request, token: String, message: Message) {
        if message.is_unserved() {
            return self.answered(request.asked, Answer::Nothing, None);
        }
        let (limit, n) = match &request.asked {
            Asked::Send { .. } => (ANSWER_LIMIT, None),
            Asked::Fetch { .. } => (ANSWER_LIMIT, None),
            Asked::Trim { n, .. } | Asked::Block { n, .. } => (TRIM_ANSWER_LIMIT, Some(n)),
        };
        let answer = read_responder(&message.payload, limit);
        if let (Answer::Done(value), Some(n)) = (&answer, n) {
            if value["n"] != n.as_str() {
                // Not the answer to this request, which may still come (KEZ-NAT-061).
                self.link.requests.insert(token, request);
                return;
            }
        }
        self.answered(request.asked, answer, Some(message.payload));
    }

    fn answered(&mut self, asked: Asked, answer: Answer, payload: Option<Vec<u8>>) {
        match asked {
            Asked::Send { copy } => self.sent(copy, answer),
            Asked::Fetch { n, after } => self.fetched(&n, after, &answer, payload.as_deref()),
            Asked::Block { who, blocked, .. } => self.blocked_at_home(&who, blocked, &answer),
            Asked::Trim { own, reply, .. } => {
                if own && matches!(answer, Answer::Done(_)) {
                    self.note_blocks();
                }
                drop(reply.send(match answer {
                    Answer::Done(answer) => trimmed(&answer),
                    Answer::Refused { code, .. } => Err(code.because("the home server refused to trim")),
                    Answer::Nothing => Err(unreachable("the home server did not answer")),
                }))
            }
        }
    }

    /// Has the home remove of a box what this client holds, and no more (KEZ-SEQ-070).
    pub fn trim(&mut self, own: bool, reply: Sender<Result<Value>>) {
        if !self.link.is_connected() {
            let _ = reply.send(Err(unreachable("not connected to the broker")));
            return;
        }
        let positions = &self.store.state.positions;
        let up_to = if own { positions.own } else { positions.inbox };
        let n = forms::base64url(&forms::random::<16>());
        let mut request = json!({ "box": if own { "self" } else { "inbox" }, "n": n });
        if let Some(epoch) = positions.epoch.as_ref().filter(|_| up_to > 0) {
            request["upTo"] = json!(up_to);
            request["epoch"] = json!(epoch);
        }
        let subject = format!("kez.trim.{}", self.digits());
        self.request(
            &subject,
            Asked::Trim { n, own, reply },
            None,
            request.to_string().as_bytes(),
        );
    }
}

fn trimmed(answer: &Value) -> Result<Value> {
    let members = Members::of(answer, Code::Unreachable)?;
    Ok(json!({ "used": members.integer("used")?, "limit": members.integer("limit")? }))
}

/// The codes of the table of sends.
const REFUSALS: [Code; 6] = [
    Code::Full,
    Code::Slow,
    Code::Retry,
    Code::Unknown,
    Code::Bad,
    Code::Size,
];

/// Reads `{"ok":1}` or `{"e":…}`; everything else is no answer (KEZ-NAT-067).
fn read_responder(payload: &[u8], limit: usize) -> Answer {
    let read = || -> std::result::Result<Answer, Problem> {
        let value = strict_json::parse(payload, limit)?;
        let members = Members::of(&value, Code::Bad)?;
        if members.has("ok") {
            let done = members.integer("ok")? == 1 && !members.has("e");
            return Ok(if done { Answer::Done(value) } else { Answer::Nothing });
        }
        let code = Code::parse(members.text("e")?).filter(|code| REFUSALS.contains(code));
        let at = members
            .optional_text("at")
            .ok()
            .flatten()
            .and_then(|at| forms::time(at).ok());
        Ok(code.map_or(Answer::Nothing, |code| Answer::Refused { code, at }))
    };
    read().unwrap_or(Answer::Nothing)
}
