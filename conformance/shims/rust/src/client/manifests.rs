//! The files that an account shares with this one (KEZ-MAN-010, KEZ-MAN-011, KEZ-MAN-024, KEZ-MAN-025, KEZ-MAN-029).
use super::run::Client;
use super::state::{Change, Seen};
use crate::data::forms;
use crate::data::members::Members;
use crate::files::manifest::{self, File, Manifest};
use crate::identity::keys::PublicKey;
use crate::identity::primary::Primary;
use crate::problem::{ensure, Code, Problem, Result};
use serde_json::{json, Value};
use std::collections::BTreeMap;

impl Client {
    pub fn manifest(&mut self, who: &str) -> Result<Value> {
        let primary = self.contact_or_self(who)?;
        let owner = Primary::parse_account(&primary)?;
        let mut anchor = self.anchor(&primary)?;
        let newest = self.servers.manifest(&owner, None);
        let read = match newest.and_then(|body| Ok((self.read(&owner, &primary, anchor.as_ref(), &body)?, body))) {
            Err(problem) if is_other(&problem) => {
                anchor = self.anchor(&primary)?;
                self.read_again(&owner, &primary, anchor.as_ref())
            }
            read => read,
        };
        let manifest = match read {
            Ok((manifest, body)) => {
                let (revision, hash) = (manifest.revision, manifest.hash.clone());
                let body = forms::base64url(&body);
                let seen = Seen { revision, hash, body };
                self.store.change(Change::Manifest { owner: primary, seen });
                self.store.commit();
                manifest
            }
            Err(problem) => match self.kept(&owner, &primary, anchor.as_ref()) {
                Some(manifest) => manifest,
                None if problem.code == Code::ManifestNotFound && anchor.is_none() => Manifest::default(),
                None => return Err(problem),
            },
        };
        Ok(view(&manifest))
    }

    /// The anchor that the owner's chain names, if the chain does not stop the contact.
    fn anchor(&mut self, primary: &str) -> Result<Option<Value>> {
        let chain = if primary == self.store.state.own() {
            self.chain_of(primary)?
        } else {
            self.check_fetches(primary)?;
            let chain = self.look_at_chain(primary)?;
            self.check_fetches(primary)?;
            chain
        };
        let chain = chain.ok_or_else(|| super::net::unreachable("the sig-server shows no chain"))?;
        Ok(chain.shared_files)
    }

    fn check_fetches(&self, primary: &str) -> Result<()> {
        let sends = self.store.state.contacts[primary].contact.sends();
        ensure(
            sends,
            Code::SendStopped,
            "the contact is changed, blocked or not accepted",
        )
    }

    fn read(&self, owner: &PublicKey, primary: &str, anchor: Option<&Value>, body: &[u8]) -> Result<Manifest> {
        let members = |value| Members::of(value, Code::ManifestMalformed);
        let known = self.store.state.manifests.get(primary);
        let known = known.map(|seen| json!({ "revision": seen.revision, "hash": seen.hash }));
        let (anchor, known) = (
            anchor.map(members).transpose()?,
            known.as_ref().map(members).transpose()?,
        );
        manifest::read(&self.seed, owner, anchor, known, body)
    }

    /// After a mismatch: the newest manifest against the chain that was fetched again, and then the anchor itself.
    fn read_again(&self, owner: &PublicKey, primary: &str, anchor: Option<&Value>) -> Result<(Manifest, Vec<u8>)> {
        let newest = self.servers.manifest(owner, None);
        let newest = newest.and_then(|body| Ok((self.read(owner, primary, anchor, &body)?, body)));
        let (problem, named) = match (newest, anchor.and_then(|anchor| anchor["manifest"].as_str())) {
            (Err(problem), Some(named)) if is_other(&problem) => (problem, named),
            (newest, _) => return newest,
        };
        let body = self.servers.manifest(owner, Some(named)).map_err(|_| problem)?;
        let hash = format!("blake3:{}", blake3::hash(&body).to_hex());
        ensure(
            hash == named,
            Code::ManifestMismatch,
            "other bytes than the chain names",
        )?;
        Ok((self.read(owner, primary, anchor, &body)?, body))
    }

    /// The manifest that was seen last, as long as it holds against the anchor.
    fn kept(&self, owner: &PublicKey, primary: &str, anchor: Option<&Value>) -> Option<Manifest> {
        let seen = self.store.state.manifests.get(primary)?;
        self.read(owner, primary, anchor, &forms::from_base64url(&seen.body).ok()?)
            .ok()
    }
}

/// The home may know of the anchor where its newest manifest is none, or another one's.
fn is_other(problem: &Problem) -> bool {
    matches!(problem.code, Code::ManifestMismatch | Code::ManifestNotFound)
}

fn view(manifest: &Manifest) -> Value {
    // Of several shares of one path the newest is meant (KEZ-MAN-040).
    let mut paths: BTreeMap<(String, String), &File> = BTreeMap::new();
    let text = |file: &File, name: &str| file.file[name].as_str().unwrap_or_default().to_owned();
    let age = |file: &File| (text(file, "shared_at"), file.id);
    for file in &manifest.files {
        let newest = paths.entry((text(file, "folder"), text(file, "name"))).or_insert(file);
        if age(file) > age(newest) {
            *newest = file;
        }
    }
    let entry = |file: &&File| {
        let id = forms::base64url(&file.id);
        let mut entry =
            json!({ "id": id, "name": file.file["name"], "size": file.file["size"], "public": file.public });
        if let Some(folder) = file.file.get("folder") {
            entry["folder"] = folder.clone();
        }
        entry
    };
    let shown = manifest
        .files
        .iter()
        .filter(|file| paths.values().any(|other| other.id == file.id));
    let entries: Vec<Value> = shown.map(|file| entry(&file)).collect();
    json!({ "revision": manifest.revision, "entries": entries })
}
