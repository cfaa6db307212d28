//! Whole clients: an account, a store, a connection, and what the user asks for.
mod account;
mod blocks;
mod contacts;
mod inbox;
mod link;
mod manifests;
mod nats;
mod net;
mod outbox;
mod run;
mod servers;
mod state;
mod store;
mod views;

use crate::problem::{Code, Problem, Result};
use run::{Client, Input};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::mpsc::{channel, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Why a request has no answer.
pub enum Failure {
    Refused(Problem),
    /// The client has ended by a fault of its own.
    Gone,
}

static CLIENTS: Mutex<BTreeMap<String, Sender<Input>>> = Mutex::new(BTreeMap::new());

fn clients() -> MutexGuard<'static, BTreeMap<String, Sender<Input>>> {
    CLIENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the client `id` in a thread of its own.
pub fn open(id: &str, args: &Value) -> std::result::Result<Value, Failure> {
    let (inputs, queue) = channel();
    let (reply, answer) = channel();
    let (args, own_inputs) = (args.clone(), inputs.clone());
    thread::spawn(move || match Client::open(&args, own_inputs) {
        Err(problem) => drop(reply.send(Err(problem))),
        Ok(mut client) => {
            let _ = reply.send(Ok(client.identity()));
            client.run(&queue);
        }
    });
    let identity = answer.recv().map_err(|_| Failure::Gone)?.map_err(Failure::Refused)?;
    clients().insert(id.to_owned(), inputs);
    Ok(identity)
}

/// Has the client `id` do something.
pub fn ask(id: &str, operation: &str, args: &Value) -> std::result::Result<Value, Failure> {
    let (reply, answer): (Sender<Result<Value>>, _) = channel();
    let inputs = clients().get(id).cloned();
    let inputs = inputs.ok_or_else(|| Failure::Refused(Code::RequestMalformed.because("no client of this id")))?;
    let (operation, args) = (operation.to_owned(), args.clone());
    let request = Input::Request { operation, args, reply };
    inputs.send(request).map_err(|_| Failure::Gone)?;
    answer.recv().map_err(|_| Failure::Gone)?.map_err(Failure::Refused)
}

pub fn close(id: &str) -> std::result::Result<Value, Failure> {
    let inputs = clients().remove(id);
    let (done, ended) = channel();
    if inputs.is_some_and(|inputs| inputs.send(Input::Close(done)).is_ok()) {
        // A client that has ended already drops the other end.
        let _ = ended.recv();
    }
    Ok(json!({}))
}
