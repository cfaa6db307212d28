//! Claims (KEZ-PRF-003).
use super::envelope::{Envelope, CLAIM};
use crate::identity::identifier;
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Value};

pub fn parse(envelope: Value) -> Result<Value> {
    let envelope = Envelope::from_value(envelope)?.expect(CLAIM)?.verify()?;
    let payload = envelope.members(Code::EnvelopeMalformed)?;
    let subject = payload.text("subject")?;
    identifier::normalize(subject)?;
    let created_at = payload.time("created_at")?;
    let mut claim = json!({ "subject": subject, "primary": envelope.signer.to_string(), "created_at": created_at });
    if payload.has("expires_at") {
        let expires_at = payload.time("expires_at")?;
        ensure(
            expires_at > created_at,
            Code::EnvelopeMalformed,
            "it expires before it was made",
        )?;
        claim["expires_at"] = json!(expires_at);
    }
    Ok(claim)
}
