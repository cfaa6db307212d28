//! What KEZ's pages leave open, and this server can do in another way than the specification: the names are those of the
//! conformance suite's facts. With all of them, it is a server that follows only what is SEEN of KEZ.

pub const FACTS: [&str; 21] = [
    // Inferred.
    "ed25519-message", // signatures are over JCS(payload), not over its SHA-512
    "prev-input",      // prev is a hash of JCS(payload), not of the envelope
    "key-form",        // a path may have the key in capitals
    "time-form",       // any text is a time
    "event-form",      // neither seq, prev and payload of an event nor how they fit together are checked
    "chain-order",     // an event need not name the one before
    "payload-members", // members of a payload that it does not know are not under the signature
    // Chosen.
    "append-url",      // appends only at the chain's own URL
    "append-answer",   // 200 without a head
    "append-again",    // an event that is there already is a conflict
    "problem-form",    // errors are {"error": text}
    "chain-absent",    // a key without a chain has an empty one
    "head",            // no route
    "since",           // ignored
    "etag",            // none
    "health",          // at another path
    "operations",      // KEZ's four only, and with a subject
    "rotation",        // is neither verified nor an end
    "strict-json",     // the last of two members counts
    "event-size",      // 2 MiB
    "canonical-lines", // members of an envelope in another order
];

#[derive(Default)]
pub struct Otherwise(Vec<&'static str>);

impl Otherwise {
    /// Reads `all`, or names separated by commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(FACTS.to_vec()));
        }
        let find = |name: &str| FACTS.into_iter().find(|fact| *fact == name);
        text.split(',')
            .map(|name| find(name).ok_or_else(|| format!("there is no fact {name}: there are {}", FACTS.join(", "))))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn is(&self, fact: &'static str) -> bool {
        debug_assert!(FACTS.contains(&fact), "{fact}");
        self.0.contains(&fact)
    }
}
