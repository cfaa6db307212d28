//! A shim for kez-conformance: fill `operation` with calls of your implementation.
use serde_json::{json, Value};
use std::io::{stdin, BufRead};

/// The input is not acceptable: one of the specification's codes, and why.
struct Refused(&'static str, String);

const OPERATIONS: &[&str] = &["hex.decode"];

/// Takes the `input` of a vector and returns its `result`: kez-conformance list --operations
fn operation(name: &str, args: &Value) -> Option<Result<Value, Refused>> {
    let text = args["text"].as_str().unwrap_or_default();
    match name {
        "hex.decode" => Some(hex_decode(text).map(|bytes| json!(base64url(&bytes)))),
        _ => None,
    }
}

fn hex_decode(text: &str) -> Result<Vec<u8>, Refused> {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() % 2 != 0 || !text.as_bytes().iter().all(digit) {
        return Err(Refused("encoding_malformed", "lower-case digits in pairs".into()));
    }
    let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    Ok((0..text.len()).step_by(2).map(pair).collect())
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| -> String {
        let number = chunk.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(|at| ALPHABET[(number >> (18 - 6 * at) & 63) as usize] as char).collect()
    };
    bytes.chunks(3).map(group).collect()
}

fn answer(cmd: &str, args: &Value) -> Value {
    match cmd {
        "start" => json!({ "ok": {
            "protocol": 1,
            "implementation": { "name": "my-kez", "version": "0.1.0", "language": "Rust" },
            "profiles": ["identity"],
            "ops": OPERATIONS
        } }),
        "stop" => json!({ "ok": {} }),
        name => match operation(name, args) {
            None => json!({ "unsupported": true }),
            Some(Ok(result)) => json!({ "ok": result }),
            Some(Err(Refused(code, message))) => json!({ "error": { "code": code, "message": message } }),
        },
    }
}

fn main() {
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let cmd = request["cmd"].as_str().expect("cmd");
        let mut response = answer(cmd, &request["args"]);
        response["seq"] = request["seq"].clone();
        println!("{response}");
        if cmd == "stop" {
            break;
        }
    }
}
