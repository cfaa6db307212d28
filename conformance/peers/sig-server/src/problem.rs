//! Refusals: a code of the specification's table, and why (KEZ-ERR-001).
use serde_json::{json, Value};

#[derive(Debug, Clone)]
pub struct Problem {
    pub code: &'static str,
    pub detail: String,
    /// Of `chain_conflict`: the present head, where there is one.
    pub head: Option<Value>,
    /// Of `rate_limited`, in seconds.
    pub retry_after: Option<u64>,
}

pub type Result<T> = std::result::Result<T, Problem>;

pub fn problem(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem {
        code,
        detail: detail.into(),
        head: None,
        retry_after: None,
    }
}

/// Refuses with `code` unless `condition` holds.
pub fn ensure(condition: bool, code: &'static str, detail: &str) -> Result<()> {
    if condition {
        Ok(())
    } else {
        Err(problem(code, detail))
    }
}

impl Problem {
    pub fn status(&self) -> u16 {
        match self.code {
            "signature_invalid" => 401,
            "chain_not_found" | "not_found" => 404,
            "method_not_allowed" => 405,
            "request_timeout" => 408,
            "chain_conflict" | "chain_terminated" => 409,
            "too_large" | "chain_full" => 413,
            "rate_limited" => 429,
            "internal" => 500,
            "unavailable" => 503,
            "store_full" => 507,
            _ => 400,
        }
    }

    pub fn document(&self) -> Value {
        let mut document = json!({
            "type": format!("urn:kez:problem:{}", self.code),
            "title": self.code.replace('_', " "),
            "status": self.status(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(head) = &self.head {
            document["head"] = head.clone();
        }
        document
    }
}
