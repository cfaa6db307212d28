//! Making an account, restoring one, and opening the one that a folder holds.
use super::run::{now_text, Client, Input};
use super::servers::Servers;
use super::state::{Account, Change};
use super::store::Store;
use crate::data::forms;
use crate::identity::handle::Handle;
use crate::identity::keys::Seed;
use crate::identity::mnemonic;
use crate::identity::primary::Primary;
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Value};
use std::path::Path;
use std::sync::mpsc::Sender;

/// How often an append is tried again because another device was first.
const ATTEMPTS: usize = 3;

impl Client {
    /// Opens the account of a folder; it is made or restored first where the folder holds none that is complete.
    pub fn open(args: &Value, inputs: Sender<Input>) -> Result<Self> {
        let text = |name: &str| args[name].as_str().unwrap_or_default();
        let seed = Seed::new(mnemonic::to_seed(text("words"))?);
        let store = Store::open(Path::new(text("store"))).expect("the suite has made the folder");
        let servers = Servers::new(text("home"))?;
        let mut client = Self::new(seed, servers, store, inputs);
        let primary = Primary::from(client.own).to_string();
        match &client.store.state.account {
            Some(account) => ensure(
                account.primary == primary,
                Code::MnemonicInvalid,
                "words of another account",
            )?,
            None => client.complete(primary, args["handle"].as_str(), args["invite"].as_str())?,
        }
        Ok(client)
    }

    pub fn identity(&self) -> Value {
        let account = self.store.state.account.as_ref();
        account.map_or(
            Value::Null,
            |account| json!({ "primary": account.primary, "handle": account.handle }),
        )
    }

    /// Takes the steps that are left, each of which can be taken again (KEZ-SIG-115).
    fn complete(&mut self, primary: String, handle: Option<&str>, invite: Option<&str>) -> Result<()> {
        let handle = match handle {
            Some(handle) => {
                let handle = Handle::parse(handle)?;
                self.describe(&handle.server)?;
                self.servers.register(&self.seed, &handle, invite, &now_text())?;
                handle
            }
            None => {
                let text = self.servers.description()?;
                let server = serde_json::from_str::<Value>(&text).map_err(super::net::unreachable)?;
                let server = server["server"].as_str().unwrap_or_default().to_owned();
                self.describe(&server)?;
                let handle = self.servers.handle_of(&primary, &server)?;
                handle.ok_or_else(|| Code::HandleNotFound.because("the home knows no account of these words"))?
            }
        };
        let chain = self.reachable_chain()?;
        let device = forms::base64url(&forms::random::<16>());
        self.store.change(Change::Device(device));
        self.store.change(Change::OwnChain(chain));
        self.store.change(Change::Account(Account {
            primary,
            handle: handle.to_string(),
        }));
        self.store.commit();
        Ok(())
    }

    /// The own chain, to which the endpoint of the account is appended where it has none.
    fn reachable_chain(&self) -> Result<Vec<String>> {
        let description = self.description()?;
        let mut attempts = 0;
        loop {
            let chain = self.servers.chain(&description.sig_server, &self.own)?;
            let mut hashes = chain.as_ref().map_or_else(Vec::new, |chain| chain.hashes.clone());
            if chain
                .as_ref()
                .is_some_and(|chain| chain.has_inbox() || chain.rotated_to.is_some())
            {
                return Ok(hashes);
            }
            attempts += 1;
            let appended = self
                .servers
                .append_endpoint(&description, &self.seed, chain.as_ref(), &now_text());
            match appended {
                Ok(hash) => {
                    hashes.push(hash);
                    return Ok(hashes);
                }
                // Another device was first (KEZ-SIG-135).
                Err(problem) if problem.code == Code::ChainConflict && attempts < ATTEMPTS => (),
                Err(problem) => return Err(problem),
            }
        }
    }

    /// Takes over events that other devices of the account have appended.
    pub fn refresh_own_chain(&mut self) {
        let Ok(description) = self.description() else {
            return;
        };
        let Ok(Some(chain)) = self.servers.chain(&description.sig_server, &self.own) else {
            return;
        };
        let held = &self.store.state.own_chain;
        if chain.hashes.len() > held.len() && chain.hashes.starts_with(held) {
            self.store.change(Change::OwnChain(chain.hashes));
            self.store.commit();
        }
    }
}
