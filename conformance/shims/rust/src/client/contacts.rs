//! Contacts: adding, looking again, and the user's words about keys (KEZ-SEQ-034 to KEZ-SEQ-053).
use super::run::{now_millis, Client};
use super::state::{Card, Change, Copy, Progress};
use crate::identity::handle::Handle;
use crate::identity::primary::Primary;
use crate::messages::contact::{Chain as ChainState, Name, Relation, Seen};
use crate::problem::{ensure, Code, Result};
use crate::statements::sigchain::{Chain, Head};
use serde_json::Value;
use std::time::Duration;

const LOOK_PATIENCE: Duration = Duration::from_secs(8);

impl Client {
    pub fn server(&self) -> &str {
        let handle = self.store.state.account.as_ref().map_or("", |account| &account.handle);
        handle.split_once('@').map_or("", |(_, server)| server)
    }

    /// The primary of a contact by its handle or primary; one that was pinned before leads to the contact as well.
    fn find(&self, who: &str) -> Result<String> {
        let contacts = &self.store.state.contacts;
        if contacts.contains_key(who) {
            return Ok(who.to_owned());
        }
        let is_meant =
            |card: &&Card| card.handle.as_deref() == Some(who) || card.previous.iter().any(|(key, _)| key == who);
        let card = contacts.values().find(is_meant);
        card.map(|card| card.contact.pinned.clone())
            .ok_or_else(|| Code::ContactUnknown.because("no contact of this name"))
    }

    pub fn contact_or_self(&self, who: &str) -> Result<String> {
        let account = self.store.state.account.as_ref();
        match account.filter(|account| account.handle == who || account.primary == who) {
            Some(account) => Ok(account.primary.clone()),
            None => self.find(who),
        }
    }

    fn card(&self, primary: &str) -> Card {
        self.store.state.contacts[primary].clone()
    }

    fn keep_card(&mut self, card: Card) {
        self.store.change(Change::Contact(Box::new(card)));
    }

    /// Looks a handle up and pins its key.
    pub fn add(&mut self, who: &str) -> Result<Value> {
        let handle = Handle::parse(who)?;
        ensure(
            handle.server == self.server(),
            Code::FederationUnsupported,
            "a handle of another server",
        )?;
        self.servers.http.patience = self.patience(LOOK_PATIENCE);
        if let Ok(primary) = self.find(who) {
            self.look(&primary)?;
            return self.accept_request(&primary);
        }
        let key = self.servers.key_of(&handle)?;
        let key = key.ok_or_else(|| Code::HandleNotFound.because("the home names nobody"))?;
        ensure(key != self.store.state.own(), Code::RequestMalformed, "the own handle")?;
        let known = self.store.state.contacts.get(&key);
        if let Some(card) = known {
            let other = card.handle.as_ref().is_some_and(|other| other != who);
            ensure(
                !other,
                Code::RecordInvalid,
                "the key is that of a contact with another handle",
            )?;
        }
        let mut card = known.cloned().unwrap_or_else(|| Card::new(&key, Relation::Requested));
        card.handle = Some(who.to_owned());
        let chain = self.chain_of(&key)?;
        see_chain(&mut card, chain.as_ref());
        self.keep_card(card);
        self.accept_request(&key)
    }

    /// The sig-server's chain of an account, which was verified.
    pub fn chain_of(&self, primary: &str) -> Result<Option<Chain>> {
        let key = Primary::parse_account(primary)?;
        self.servers.chain(&self.description()?.sig_server, &key)
    }

    fn accept_request(&mut self, primary: &str) -> Result<Value> {
        let mut card = self.card(primary);
        card.relation = Relation::Accepted;
        if card.contact.relation == Relation::Requested {
            card.contact.relation = Relation::Accepted;
        }
        self.keep_card(card);
        Ok(self.contact_view(primary))
    }

    pub fn refresh(&mut self, who: &str) -> Result<Value> {
        let primary = self.find(who)?;
        self.look(&primary)?;
        Ok(self.contact_view(&primary))
    }

    /// Asks home server and sig-server about a contact.
    fn look(&mut self, primary: &str) -> Result<()> {
        self.servers.http.patience = self.patience(LOOK_PATIENCE);
        let name = self.look_at_name(primary);
        let chain = self.look_at_chain(primary);
        self.store.commit();
        name.and(chain.map(drop))
    }

    fn look_at_name(&mut self, primary: &str) -> Result<()> {
        let mut card = self.card(primary);
        if let Some(handle) = card.handle.clone() {
            let handle = Handle::parse(&handle)?;
            if handle.server == self.server() {
                let key = self.servers.key_of(&handle)?;
                let seen = match &key {
                    None => Seen::Nobody,
                    Some(key) if *key == card.contact.pinned => Seen::Pinned,
                    Some(_) => Seen::Other,
                };
                card.contact.see(seen, key.as_deref(), now_millis());
            }
        } else if let Some(handle) = self.servers.handle_of(primary, self.server())? {
            // A handle that is pinned to another key is not shown for this one (KEZ-SEQ-045).
            card.handle = Some(handle.to_string()).filter(|handle| self.find(handle).is_err());
        }
        self.keep_card(card);
        Ok(())
    }

    pub fn look_at_chain(&mut self, primary: &str) -> Result<Option<Chain>> {
        let chain = self.chain_of(primary)?;
        let mut card = self.card(primary);
        see_chain(&mut card, chain.as_ref());
        self.keep_card(card);
        Ok(chain)
    }

    /// Looks again at contacts where a message gave reason to.
    pub fn look_at_contacts(&mut self) {
        while let Some(primary) = self.looks.pop_first() {
            if self.store.state.contacts.contains_key(&primary) {
                // What cannot be asked now is asked with the next sync or message.
                let _ = self.look(&primary);
            }
        }
    }

    /// Accepts a request, or the key that is offered in place of the pinned one.
    pub fn accept(&mut self, who: &str, key: Option<&str>) -> Result<Value> {
        let primary = self.find(who)?;
        let card = self.card(&primary);
        let is_request = card.contact.relation == Relation::Requested && card.contact.offered().is_none();
        match key.filter(|key| *key != primary || !is_request) {
            None => self.accept_request(&primary),
            Some(key) => self.accept_key(&primary, key),
        }
    }

    fn accept_key(&mut self, primary: &str, key: &str) -> Result<Value> {
        let refused = || Code::KeyRefused.because("not the key that is offered");
        let mut card = self.card(primary);
        ensure(
            card.contact.offered() == Some(key),
            Code::KeyRefused,
            "not the key that is offered",
        )?;
        let new_key = Primary::parse_account(key).map_err(|_| refused())?;
        if matches!(card.contact.name, Name::Offered | Name::OfferedKept) {
            self.look_at_name(primary)?;
            card = self.card(primary);
        }
        if card.contact.accept(key).is_some() {
            return Err(refused());
        }
        card.relation = Relation::Accepted;
        if card.contact.relation == Relation::Requested {
            card.contact.relation = Relation::Accepted;
        }
        card.previous.push((primary.to_owned(), now_millis()));
        (card.chain, card.named, card.shown, card.has_inbox) = (Vec::new(), Vec::new(), None, false);
        // What the new key's own messages named while it was a request.
        if let Some(request) = self.store.state.contacts.get(key) {
            card.named.clone_from(&request.named);
        }
        let chain = self.chain_of(&Primary::from(new_key).to_string());
        see_chain(&mut card, chain.ok().flatten().as_ref());
        if card.contact.relation == Relation::Blocked {
            self.decide_block(key, true);
        }
        self.store.change(Change::NoContact(primary.to_owned()));
        self.keep_card(card);
        self.fail_queued(primary);
        self.store.commit();
        Ok(self.contact_view(key))
    }

    /// What is queued for a key that is not pinned any more fails (KEZ-DM-025).
    fn fail_queued(&mut self, primary: &str) {
        let to_peer = |copy: &&Copy| copy.peer == primary && copy.to == primary;
        let queued = self.store.state.outbox.values().filter(to_peer);
        let messages: Vec<String> = queued.map(|copy| copy.message.clone()).collect();
        for id in messages {
            self.drop_message(&id);
            self.progress(&id, Progress::Failed, Some("another key was accepted".into()));
        }
    }

    pub fn keep(&mut self, who: &str) -> Result<Value> {
        let primary = self.find(who)?;
        let mut card = self.card(&primary);
        if card.contact.stops() {
            if card.contact.chain == ChainState::Forked {
                // The chain shown at this moment is the known one.
                if let Some((hashes, _)) = card.shown.take() {
                    card.chain = hashes;
                }
                card.named.clear();
            }
            card.contact.see(Seen::Keeps, None, now_millis());
        }
        self.keep_card(card);
        Ok(self.contact_view(&primary))
    }

    pub fn confirm(&mut self, who: &str, key: &str) -> Result<Value> {
        let primary = self.find(who)?;
        let mut card = self.card(&primary);
        if card.contact.confirm(key).is_some() {
            return Err(Code::KeyRefused.because("not the key of an accepted contact"));
        }
        self.keep_card(card);
        Ok(self.contact_view(&primary))
    }
}

/// Moves the state of a contact's chain by what the sig-server shows; that it has none says nothing (KEZ-SIG-123).
fn see_chain(card: &mut Card, chain: Option<&Chain>) {
    let Some(chain) = chain else {
        return;
    };
    let shown = |head: &Head| usize::try_from(head.seq).ok().and_then(|seq| chain.hashes.get(seq));
    let known: Vec<Head> = card.head().into_iter().chain(card.named.iter().cloned()).collect();
    let contradict = |a: &Head, b: &Head| a.seq == b.seq && a.hash != b.hash;
    let forks = known.iter().any(|head| {
        shown(head).is_some_and(|hash| *hash != head.hash) || known.iter().any(|other| contradict(head, other))
    });
    let key = chain.rotated_to.as_deref();
    // A rotation that the user knew of when keeping a forked contact is no news.
    let is_news = card.contact.chain != ChainState::ForkedKept || chain.hashes.len() > card.chain.len();
    let seen = if forks {
        Seen::Forks
    } else if known.iter().any(|head| shown(head).is_none()) {
        Seen::Behind
    } else if key.is_some() && is_news {
        Seen::Rotates
    } else {
        Seen::Extends
    };
    if matches!(seen, Seen::Forks | Seen::Behind) {
        card.shown = Some((chain.hashes.clone(), key.is_some()));
    } else {
        card.shown = None;
        card.named.clear();
        card.chain.clone_from(&chain.hashes);
        card.has_inbox = chain.has_inbox();
    }
    card.contact.see(seen, key, now_millis());
}
