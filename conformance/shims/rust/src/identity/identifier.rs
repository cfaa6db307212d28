//! Identifiers of other systems and their normal form (KEZ-PRF-001, KEZ-PRF-002, KEZ-PRF-012, KEZ-LIM-007).
use super::handle;
use super::primary::{parse_npub, Primary};
use crate::problem::{ensure, Code, Result};
use unicode_general_category::{get_general_category, GeneralCategory as Category};
use url::{Host, Url};

const LIMIT: usize = 512;

/// The form by which identifiers are compared.
pub fn normalize(text: &str) -> Result<String> {
    let malformed = |message| Code::IdentifierMalformed.because(message);
    ensure(
        text.chars().count() <= LIMIT,
        Code::IdentifierMalformed,
        "more than 512 characters",
    )?;
    let (system, id) = text.split_once(':').ok_or_else(|| malformed("no system"))?;
    ensure(is_system(system), Code::IdentifierMalformed, "not the name of a system")?;
    ensure(
        !id.is_empty() && !id.contains(is_forbidden),
        Code::IdentifierMalformed,
        "an empty id, or one with a space",
    )?;
    let (system, id) = match system {
        "github" => (system, github(id)),
        "dns" => (system, domain(id.strip_suffix('.').unwrap_or(id))),
        "web" => (system, web(id)),
        "nostr" => (system, parse_npub(id).is_ok().then(|| id.to_owned())),
        "bluesky" => (system, domain(without_at(id))),
        "ap" | "mastodon" => ("ap", activity_pub(id)),
        "ed25519" => (system, Primary::parse(text).is_ok().then(|| id.to_owned())),
        _ => (system, Some(id.to_owned())),
    };
    let id = id.ok_or_else(|| malformed("not an id of its system"))?;
    Ok(format!("{system}:{id}"))
}

fn is_system(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Unicode categories C and Z.
fn is_forbidden(c: char) -> bool {
    matches!(
        get_general_category(c),
        Category::Control
            | Category::Format
            | Category::PrivateUse
            | Category::Surrogate
            | Category::Unassigned
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
    )
}

fn without_at(id: &str) -> &str {
    id.strip_prefix('@').unwrap_or(id)
}

fn github(id: &str) -> Option<String> {
    let name = without_at(id).to_ascii_lowercase();
    let form = (1..=39).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    form.then_some(name)
}

/// A domain of two or more labels.
fn domain(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    (handle::is_server(&name) && name.contains('.')).then_some(name)
}

fn web(id: &str) -> Option<String> {
    let text = if id.contains("://") {
        id.to_owned()
    } else {
        format!("https://{id}")
    };
    let url = Url::parse(&text).ok()?;
    let plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && matches!(url.host(), Some(Host::Domain(name)) if domain(name).is_some());
    plain.then(|| url.as_str().trim_end_matches('/').to_owned())
}

fn activity_pub(id: &str) -> Option<String> {
    let account = without_at(id).to_ascii_lowercase();
    let (user, server) = account.split_once('@')?;
    let form = (1..=64).contains(&user.len())
        && user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        && !user.starts_with(['.', '-'])
        && !user.ends_with(['.', '-']);
    (form && domain(server).is_some()).then_some(account)
}
