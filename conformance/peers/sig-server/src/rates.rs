//! What one address may do in an hour and in a day (KEZ-SIG-133, KEZ-LIM-021).
use crate::problem::{problem, Problem, Result};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Addresses remembered at most; beyond it those whose time is over are dropped, and then all.
const ADDRESSES: usize = 100_000;

/// An amount for each address in a window that begins with its first use.
pub struct Rate {
    limit: u64,
    window: Duration,
    used: Mutex<HashMap<IpAddr, (Instant, u64)>>,
}

impl Rate {
    pub fn new(limit: u64, window: Duration) -> Self {
        let used = Mutex::default();
        Self { limit, window, used }
    }

    fn current(&self) -> MutexGuard<'_, HashMap<IpAddr, (Instant, u64)>> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= ADDRESSES {
            used.retain(|_, (began, _)| began.elapsed() < self.window);
        }
        if used.len() >= ADDRESSES {
            used.clear();
        }
        used
    }

    pub fn check(&self, address: IpAddr) -> Result<()> {
        match self.current().get(&address) {
            Some((began, used)) if *used >= self.limit && began.elapsed() < self.window => Err(Problem {
                retry_after: Some((self.window - began.elapsed()).as_secs() + 1),
                ..problem("rate_limited", "too much from this address")
            }),
            _ => Ok(()),
        }
    }

    pub fn count(&self, address: IpAddr, amount: u64) {
        let mut used = self.current();
        let entry = used.entry(address).or_insert((Instant::now(), 0));
        if entry.0.elapsed() >= self.window {
            *entry = (Instant::now(), 0);
        }
        entry.1 += amount;
    }
}
