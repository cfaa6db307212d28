//! The KEZ chat protocol behind the shim protocol of kez-conformance: a request a line in, a response a line out.
mod broker;
mod client;
mod data;
mod files;
mod identity;
mod messages;
mod operations;
mod problem;
mod statements;

use operations::{Args, Failure};
use serde_json::{json, Value};
use std::io::{stdin, stdout, BufRead, Write};
use std::panic::catch_unwind;

fn start() -> Value {
    let names: Vec<&str> = operations::all().map(|(name, _)| *name).collect();
    json!({ "ok": {
        "protocol": 1,
        "implementation": { "name": "kez-rust", "version": env!("CARGO_PKG_VERSION"), "language": "Rust" },
        "profiles": ["identity", "chat", "files"],
        "ops": names,
        "features": ["clock"],
    } })
}

fn run(cmd: &str, args: &Value) -> Value {
    let Some((_, operation)) = operations::all().find(|(name, _)| *name == cmd) else {
        return json!({ "unsupported": true });
    };
    match catch_unwind(|| operation(Args(args))) {
        Ok(Ok(result)) => json!({ "ok": result }),
        Ok(Err(Failure::Refused(problem))) => {
            json!({ "error": { "code": problem.code.text(), "message": problem.message } })
        }
        Ok(Err(Failure::Unexpected(message))) => json!({ "internal": { "message": message } }),
        Err(_) => json!({ "internal": { "message": "a panic; standard error says where" } }),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let cmd = request["cmd"].as_str().unwrap_or_default();
        let mut response = match cmd {
            "start" => start(),
            "stop" => json!({ "ok": {} }),
            _ => run(cmd, &request["args"]),
        };
        response["seq"] = request["seq"].clone();
        let mut out = stdout().lock();
        writeln!(out, "{response}")?;
        out.flush()?;
        if cmd == "stop" {
            break;
        }
    }
    Ok(())
}
