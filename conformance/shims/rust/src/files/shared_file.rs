//! The members that offers and entries of a manifest have in common (KEZ-FIL-007, KEZ-MAN-008).
use super::ticket;
use crate::data::forms;
use crate::data::members::Members;
use crate::identity::keys::PublicKey;
use crate::problem::{ensure, Code, Result};

const THUMBNAIL_LIMIT: usize = 8_192;
const FOLDER_LIMIT: usize = 1_024;
const FOLDER_PARTS: usize = 16;

fn is_name(text: &str) -> bool {
    let forbidden = |c: char| c == '/' || c == '\\' || forms::is_control(c);
    !text.is_empty() && !text.contains(forbidden) && text != "." && text != ".."
}

/// Checks what `owner` says of a file whose name is in the member `name`.
pub fn check(file: Members<'_>, name: &str, owner: &PublicKey, malformed: Code) -> Result<()> {
    ensure(is_name(file.bounded(name, 255)?), malformed, "a name that is a path")?;
    file.bounded("media_type", 127)?;
    file.integer("size")?;
    let hash = file.hash("blob_hash", "blake3:")?;
    if let Some(thumbnail) = file.optional_text("thumbnail")? {
        let sized = (1..=THUMBNAIL_LIMIT).contains(&forms::from_base64url(thumbnail)?.len());
        ensure(sized, malformed, "a thumbnail that is not of 1 to 8,192 bytes")?;
    }
    ticket::shared(file.bounded("ticket", 1_024)?, owner, hash).map(drop)
}

/// Checks a file of a manifest.
pub fn check_entry(file: Members<'_>, owner: &PublicKey) -> Result<()> {
    let malformed = Code::ManifestMalformed;
    if file.has("folder") {
        let folder = file.bounded("folder", FOLDER_LIMIT)?;
        let parts = folder.split('/').count() <= FOLDER_PARTS && folder.split('/').all(is_name);
        ensure(parts, malformed, "a folder that is no path of 1 to 16 parts")?;
    }
    file.time("shared_at")?;
    file.bytes::<32>("content_key")?;
    check(file, "name", owner, malformed)
}
