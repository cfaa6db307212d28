//! The little JSON that the peer writes.
use iroh_blobs::Hash;

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// Long byte strings are given by their BLAKE3 hash and length.
pub fn bytes(bytes: &[u8]) -> String {
    if bytes.len() <= 700 {
        format!("{{\"length\":{},\"hex\":\"{}\"}}", bytes.len(), hex(bytes))
    } else {
        format!(
            "{{\"length\":{},\"blake3\":\"{}\"}}",
            bytes.len(),
            Hash::new(bytes).to_hex()
        )
    }
}

/// A number of 64 bits, as text where JSON's numbers do not reach.
pub fn u64(n: u64) -> String {
    if n < 1 << 53 {
        n.to_string()
    } else {
        format!("\"{n}\"")
    }
}

/// The versions of crates that Cargo.lock names.
pub fn crates() -> String {
    let locked = |name: &str| {
        let after = include_str!("../Cargo.lock")
            .split_once(&format!("name = \"{name}\"\nversion = \""))
            .unwrap()
            .1;
        after.split_once('"').unwrap().0
    };
    let names = ["iroh", "iroh-blobs", "iroh-tickets", "bao-tree", "blake3", "postcard"];
    let pairs = names.map(|name| format!("\"{name}\":\"{}\"", locked(name)));
    format!("{{{}}}", pairs.join(","))
}
