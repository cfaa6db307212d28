//! The forms in which envelopes travel (KEZ-PRF-005 to KEZ-PRF-011).
use super::envelope::{Envelope, LIMIT};
use super::zstd;
use crate::data::forms;
use crate::problem::{ensure, Code, Problem, Result};

const COMPACT: &str = "kez:z1:";
const BUNDLE: &str = "kez:zc1:";
const BUNDLE_LIMIT: usize = 4_194_304;
const FENCE: &str = "```";

fn malformed(message: &'static str) -> Problem {
    Code::EncodingMalformed.because(message)
}

/// The envelope of a proof: JSON, the compact form or Markdown, told apart by the beginning.
pub fn decode(text: &str) -> Result<Envelope> {
    let trimmed = text.trim();
    if trimmed.starts_with('{') || trimmed.starts_with(COMPACT) {
        decode_plain(trimmed)
    } else {
        decode_markdown(text)
    }
}

pub fn decode_txt(segments: &[&str]) -> Result<Envelope> {
    decode_compact(&segments.concat())
}

fn decode_plain(text: &str) -> Result<Envelope> {
    if text.starts_with('{') {
        Envelope::from_text(text.as_bytes())?.verify()
    } else {
        decode_compact(text)
    }
}

fn decode_compact(text: &str) -> Result<Envelope> {
    Envelope::from_text(&decompress(text, COMPACT, LIMIT)?)?.verify()
}

fn decompress(text: &str, prefix: &str, limit: usize) -> Result<Vec<u8>> {
    let digits = text
        .trim()
        .strip_prefix(prefix)
        .ok_or_else(|| malformed("another prefix"))?;
    zstd::decompress(&forms::from_base64url(digits)?, limit)
}

fn decode_markdown(text: &str) -> Result<Envelope> {
    let mut primary = None;
    let mut lines = text.lines().map(str::trim_end);
    loop {
        let line = lines.next().ok_or_else(|| malformed("no fence marked kez"))?;
        if line.strip_prefix(FENCE) == Some("kez") {
            break;
        }
        primary = primary.or(line.strip_prefix("Primary:").map(str::trim));
    }
    let mut content = String::new();
    loop {
        let line = lines.next().ok_or_else(|| malformed("a fence without an end"))?;
        if line == FENCE {
            break;
        }
        content.push_str(line);
        content.push('\n');
    }
    let envelope = decode_plain(content.trim())?;
    let named = primary.is_none_or(|primary| primary == envelope.signer.to_string());
    ensure(named, Code::EnvelopeKind, "the line Primary: names another signer")?;
    Ok(envelope)
}

/// The hashes of a bundle's envelopes in order.
pub fn decode_bundle(text: &str) -> Result<Vec<String>> {
    let lines = decompress(text, BUNDLE, BUNDLE_LIMIT)?;
    let lines = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    lines
        .map(|line| Ok(Envelope::from_text(line)?.verify()?.hash()))
        .collect()
}
