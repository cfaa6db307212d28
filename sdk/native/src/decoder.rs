//! What a provider answers, verified as it arrives: nothing leaves here that does not fit the blob's hash.
use crate::tree::{children, subtree, Ranges, Step, Steps, Value, CHUNK, GROUP, PAIR};

/// Bytes of the size before everything else.
const HEADER: usize = 8;

/// Verified items: the numbers (kind, place, bytes) of each, and their bytes one after another.
#[derive(Default)]
pub struct Batch {
    pub items: Vec<f64>,
    pub bytes: Vec<u8>,
}

/// The kinds of items: the place of a pair is its index in the outboard, that of a leaf its offset in the blob.
const SIZE: f64 = 0.0;
const PAIR_OF_PARENT: f64 = 1.0;
const LEAF: f64 = 2.0;

impl Batch {
    fn add(&mut self, kind: f64, place: u64, bytes: &[u8]) {
        self.items.extend([kind, place as f64, bytes.len() as f64]);
        self.bytes.extend_from_slice(bytes);
    }
}

enum Wanted {
    Size,
    Node(Step),
    Nothing,
}

pub struct Decoder {
    size: u64,
    steps: Steps,
    expected: Vec<Value>,
    wanted: Wanted,
    /// Bytes of the next item, as far as they are here.
    pending: Vec<u8>,
}

impl Decoder {
    pub fn new(hash: Value, size: u64, ranges: Ranges) -> Self {
        Self {
            size,
            steps: Steps::new(size, ranges, false),
            expected: vec![hash],
            wanted: Wanted::Size,
            pending: Vec::with_capacity(GROUP),
        }
    }

    fn length(&self) -> usize {
        match self.wanted {
            Wanted::Size => HEADER,
            Wanted::Node(Step::Parent { .. }) => PAIR,
            // At most a group.
            Wanted::Node(Step::Leaf { start, end, .. }) => ((end * CHUNK).min(self.size) - start * CHUNK) as usize,
            Wanted::Nothing => 0,
        }
    }

    /// Whether the answer has arrived as a whole.
    pub fn is_whole(&self) -> bool {
        matches!(self.wanted, Wanted::Nothing)
    }

    /// How much to read at most: what the next item lacks and less than a group more, so that a liar is not read on.
    pub fn limit(&self) -> usize {
        match self.length() - self.pending.len() {
            0 => 1,
            lacking if lacking < GROUP => lacking + GROUP,
            lacking => lacking,
        }
    }

    /// Takes bytes and adds the items that they complete. Fails at the first that is wrong; not to be used afterwards.
    pub fn push(&mut self, mut bytes: &[u8], batch: &mut Batch) -> Result<(), String> {
        loop {
            let lacking = self.length() - self.pending.len();
            match self.wanted {
                Wanted::Nothing if bytes.is_empty() => return Ok(()),
                Wanted::Nothing => return Err("bytes follow the end of the answer".into()),
                // The leaf of an empty blob needs no bytes.
                _ if bytes.is_empty() && lacking > 0 => return Ok(()),
                _ => {}
            }
            let (taken, rest) = bytes.split_at(lacking.min(bytes.len()));
            bytes = rest;
            if taken.len() < lacking {
                self.pending.extend_from_slice(taken);
                return Ok(());
            }
            if self.pending.is_empty() {
                self.item(taken, batch)?;
            } else {
                let mut item = std::mem::take(&mut self.pending);
                item.extend_from_slice(taken);
                self.item(&item, batch)?;
                item.clear();
                self.pending = item;
            }
            self.wanted = self.steps.next().map_or(Wanted::Nothing, Wanted::Node);
        }
    }

    fn item(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<(), String> {
        match self.wanted {
            Wanted::Nothing => {}
            Wanted::Size => {
                let claimed = bytes.try_into().map(u64::from_le_bytes).unwrap_or(u64::MAX);
                if claimed != self.size {
                    return Err(format!("the provider claims {claimed} bytes instead of {}", self.size));
                }
                batch.add(SIZE, claimed, &[]);
            }
            Wanted::Node(Step::Parent {
                index,
                start,
                is_root,
                left,
                right,
            }) => {
                let pair = self.expected.pop().and_then(|value| children(bytes, &value, is_root));
                let Some((a, b)) = pair else {
                    return Err(format!("wrong hashes for byte {}", start * CHUNK));
                };
                if right {
                    self.expected.push(b);
                }
                if left {
                    self.expected.push(a);
                }
                if let Some(index) = index {
                    batch.add(PAIR_OF_PARENT, index, bytes);
                }
            }
            Wanted::Node(Step::Leaf { start, is_root, .. }) => {
                let offset = start * CHUNK;
                if self.expected.pop() != Some(subtree(bytes, start, is_root)) {
                    return Err(format!(
                        "wrong bytes between {offset} and {}",
                        offset + bytes.len() as u64
                    ));
                }
                batch.add(LEAF, offset, bytes);
            }
        }
        Ok(())
    }
}
