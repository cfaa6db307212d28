//! The home server and its sig-server over HTTP.
use super::net::{self, unreachable, Http};
use crate::data::{forms, jcs, strict_json};
use crate::identity::handle::Handle;
use crate::identity::keys::{PublicKey, Seed};
use crate::identity::primary::Primary;
use crate::problem::{ensure, Code, Result};
use crate::statements::addresses::Class;
use crate::statements::envelope::{self, EVENT, REGISTRATION};
use crate::statements::registration::{self, Asked};
use crate::statements::sigchain::{self, Chain, Head};
use serde_json::{json, Map, Value};
use std::time::Duration;

const DESCRIPTION_LIMIT: u64 = 65_536;
const RECORD_LIMIT: u64 = 65_536;
const CHAIN_LIMIT: u64 = 4_194_304;
const MANIFEST_LIMIT: u64 = 1_048_576;
const PATIENCE: Duration = Duration::from_secs(8);

/// Codes by which a home says that nobody has a name or key (KEZ-REG-043).
const NOBODY: [Code; 5] = [
    Code::HandleNotFound,
    Code::HandleDeleted,
    Code::HandleReserved,
    Code::NotLocal,
    Code::NotFound,
];

/// A server description, as far as a client uses it.
pub struct Description {
    pub server: String,
    pub tcp: Vec<String>,
    pub websocket: Vec<String>,
    pub sig_server: String,
}

impl Description {
    pub fn read(json: &Value) -> Result<Self> {
        let checked = registration::well_known(json)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
        Ok(Self {
            server: text(&checked["server"]),
            tcp: texts(&checked["broker"]["tcp"]),
            websocket: texts(&checked["broker"]["websocket"]),
            sig_server: text(&checked["sig_server"]),
        })
    }
}

pub struct Servers {
    home: String,
    pub class: Class,
    pub http: Http,
}

fn path_of(key: &PublicKey) -> String {
    format!("ed25519/{}", forms::hex(key.bytes()))
}

impl Servers {
    pub fn new(home: &str) -> Result<Self> {
        let class = net::home_class(home)?;
        Ok(Self {
            home: home.trim_end_matches('/').to_owned(),
            class,
            http: Http::new(class, PATIENCE),
        })
    }

    /// The text of the description, which was checked.
    pub fn description(&self) -> Result<String> {
        let url = format!("{}/.well-known/kez-chat", self.home);
        let json = self.http.get(&url, DESCRIPTION_LIMIT)?.json()?;
        Description::read(&json)?;
        Ok(json.to_string())
    }

    pub fn register(&self, seed: &Seed, handle: &Handle, invite: Option<&str>, now: &str) -> Result<()> {
        let primary = Primary::from(seed.public_key()).to_string();
        let mut payload = Map::new();
        payload.insert("type".into(), json!("kez.chat.handle_registration"));
        payload.insert("version".into(), json!(1));
        payload.insert("handle".into(), json!(handle.local));
        payload.insert("server".into(), json!(handle.server));
        payload.insert("primary".into(), json!(primary));
        payload.insert("created_at".into(), json!(now));
        let statement = envelope::sign(REGISTRATION, payload, seed);
        let body = match invite {
            None => jcs::to_vec(&statement),
            Some(code) => jcs::to_vec(&json!({ "invite": code, "registration": statement })),
        };
        let record = self.http.post(&format!("{}/v1/register", self.home), &body)?.json()?;
        let (local, primary) = (Some(handle.local.as_str()), Some(primary.as_str()));
        let asked = Asked {
            server: &handle.server,
            local,
            primary,
        };
        registration::verify_record(&record, &asked).map(drop)
    }

    /// The key that the home names for a handle; none where it names nobody.
    pub fn key_of(&self, handle: &Handle) -> Result<Option<String>> {
        let asked = Asked {
            server: &handle.server,
            local: Some(&handle.local),
            primary: None,
        };
        let record = self.record(&format!("u/{}", handle.local), &asked)?;
        Ok(record.map(|registration| registration.primary.to_string()))
    }

    /// The handle that the home names for a key.
    pub fn handle_of(&self, primary: &str, server: &str) -> Result<Option<Handle>> {
        let asked = Asked {
            server,
            local: None,
            primary: Some(primary),
        };
        let record = self.record(&format!("by-primary/{primary}"), &asked)?;
        Ok(record.map(|registration| registration.handle))
    }

    fn record(&self, path: &str, asked: &Asked<'_>) -> Result<Option<registration::Registration>> {
        let answer = self.http.get(&format!("{}/v1/{path}", self.home), RECORD_LIMIT)?.json();
        match answer {
            Ok(record) => registration::verify_record(&record, asked).map(Some),
            Err(problem) if NOBODY.contains(&problem.code) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// The newest manifest of an owner, or the one of a hash.
    pub fn manifest(&self, owner: &PublicKey, hash: Option<&str>) -> Result<Vec<u8>> {
        let mut url = format!("{}/v1/manifests/{}", self.home, path_of(owner));
        if let Some(hash) = hash {
            url = format!("{url}/{}", hash.trim_start_matches("blake3:"));
        }
        self.http.get(&url, MANIFEST_LIMIT)?.success()
    }

    fn chain_url(sig_server: &str, key: &PublicKey) -> String {
        format!("{}/v1/sigchains/{}", sig_server.trim_end_matches('/'), path_of(key))
    }

    /// The verified chain of an account; none where the server has none (KEZ-SIG-134).
    pub fn chain(&self, sig_server: &str, key: &PublicKey) -> Result<Option<Chain>> {
        let answer = self.http.get(&Self::chain_url(sig_server, key), CHAIN_LIMIT)?.success();
        let text = match answer {
            Err(problem) if matches!(problem.code, Code::ChainNotFound | Code::NotFound) => return Ok(None),
            answer => answer?,
        };
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty());
        let events = lines.map(|line| strict_json::parse(line, envelope::LIMIT));
        let events: Vec<Value> = events.collect::<Result<_>>().map_err(|problem| match problem.code {
            // A page or the like.
            Code::JsonMalformed => unreachable(problem),
            _ => problem,
        })?;
        if events.is_empty() {
            return Ok(None);
        }
        sigchain::replay(Primary::from(*key), &events).map(Some)
    }

    /// Appends the event that says where the account can be reached.
    pub fn append_endpoint(
        &self,
        description: &Description,
        seed: &Seed,
        chain: Option<&Chain>,
        now: &str,
    ) -> Result<String> {
        let key = seed.public_key();
        let tcp = description.tcp.first();
        let url = tcp.ok_or_else(|| Code::RecordInvalid.because("a home without a broker over TCP"))?;
        let inbox = format!("kez.inbox.{}", forms::hex(key.bytes()));
        let mut endpoint = json!({ "protocol": "nats", "url": url, "inbox": inbox });
        if let Some(url) = description.websocket.first() {
            endpoint["ws_url"] = json!(url);
        }
        let head = chain.and_then(Chain::head);
        let mut payload = Map::new();
        payload.insert("type".into(), json!("kez.sigchain.event"));
        payload.insert("version".into(), json!(1));
        payload.insert("primary".into(), json!(Primary::from(key).to_string()));
        payload.insert("seq".into(), json!(head.as_ref().map_or(0, |head| head.seq + 1)));
        if let Some(head) = head {
            payload.insert("prev".into(), json!(head.hash));
        }
        payload.insert("created_at".into(), json!(now));
        payload.insert("op".into(), json!("add_endpoint"));
        payload.insert("payload".into(), endpoint);
        let event = envelope::sign(EVENT, payload, seed);
        let url = Self::chain_url(&description.sig_server, &key);
        let body = jcs::to_vec(&event);
        let elsewhere = [Code::NotFound, Code::MethodNotAllowed, Code::ChainNotFound];
        let answer = match self.http.post(&format!("{url}/events"), &body)?.json() {
            Err(problem) if elsewhere.contains(&problem.code) => self.http.post(&url, &body)?.json()?,
            answer => answer?,
        };
        let hash = envelope::hash(&event);
        let stored: Head = serde_json::from_value(answer).map_err(unreachable)?;
        ensure(
            stored.hash == hash,
            Code::ChainConflict,
            "the server stored another event",
        )?;
        Ok(hash)
    }
}
