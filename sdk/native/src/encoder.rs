//! An answer, checked against the blob's hash before it is sent: a provider with a broken disk sends nothing wrong.
use crate::tree::{children, left_chunks, outboard_length, parent, subtree, Ranges, Step, Steps, Value, CHUNK, PAIR};

/// Most bytes of the blob between two writes.
const RUN: u64 = 128 * 1024;

struct Leaf {
    start: u64,
    end: u64,
    is_root: bool,
    is_whole: bool,
    value: Value,
}

enum Part {
    Bytes(Vec<u8>),
    Leaf(Leaf),
}

/// Bytes of the blob that come next.
#[derive(Clone, Copy, Default)]
pub struct Run {
    pub offset: u64,
    pub length: u64,
}

pub struct Encoder {
    size: u64,
    outboard: Vec<u8>,
    steps: std::iter::Peekable<Steps>,
    ranges: Ranges,
    expected: Vec<Value>,
    /// What is to be sent once the bytes of `run` are here.
    parts: Vec<Part>,
    run: Option<Run>,
}

impl Encoder {
    /// None unless the outboard has the length for this size. Two sets of the same ranges: one is walked.
    pub fn new(hash: Value, size: u64, outboard: Vec<u8>, ranges: [Ranges; 2]) -> Option<Self> {
        if outboard.len() as u64 != outboard_length(size) {
            return None;
        }
        let [walked, ranges] = ranges;
        Some(Self {
            size,
            outboard,
            steps: Steps::new(size, walked, true).peekable(),
            ranges,
            expected: vec![hash],
            parts: vec![Part::Bytes(size.to_le_bytes().to_vec())],
            run: None,
        })
    }

    fn bytes_of(&self, start: u64, end: u64) -> Run {
        let offset = start * CHUNK;
        Run {
            offset,
            length: (end * CHUNK).min(self.size) - offset,
        }
    }

    /// Frees the outboard once it is of no more use: JavaScript may keep the encoder for long.
    pub fn free(&mut self) {
        self.outboard = Vec::new();
    }

    /// The bytes to be given to `encode` next, in one piece of the blob; none at the end.
    pub fn run(&mut self) -> Result<Option<Run>, String> {
        let run = self.advance();
        if !matches!(run, Ok(Some(_))) {
            self.free();
        }
        run
    }

    fn advance(&mut self) -> Result<Option<Run>, String> {
        if self.run.is_some() {
            return Ok(self.run);
        }
        let mut run: Option<Run> = None;
        while let Some(step) = self.steps.peek().copied() {
            match step {
                Step::Parent {
                    index,
                    start,
                    is_root,
                    left,
                    right,
                } => {
                    let at = index.unwrap_or(u64::MAX).saturating_mul(PAIR as u64) as usize;
                    let pair = self.outboard.get(at..at.saturating_add(PAIR)).unwrap_or_default();
                    let both = self.expected.pop().and_then(|value| children(pair, &value, is_root));
                    let Some((a, b)) = both else {
                        return Err(format!("the outboard does not fit at byte {}", start * CHUNK));
                    };
                    self.parts.push(Part::Bytes(pair.to_vec()));
                    if right {
                        self.expected.push(b);
                    }
                    if left {
                        self.expected.push(a);
                    }
                }
                Step::Leaf {
                    start,
                    end,
                    is_root,
                    is_whole,
                } => {
                    let leaf = self.bytes_of(start, end);
                    match &mut run {
                        None => run = Some(leaf),
                        Some(run) if run.offset + run.length == leaf.offset && run.length + leaf.length <= RUN => {
                            run.length += leaf.length
                        }
                        _ => break,
                    }
                    let value = self.expected.pop().ok_or("the tree has ended")?;
                    self.parts.push(Part::Leaf(Leaf {
                        start,
                        end,
                        is_root,
                        is_whole,
                        value,
                    }));
                }
            }
            self.steps.next();
        }
        self.run = run;
        Ok(run)
    }

    /// What to send for the bytes of the run.
    pub fn encode(&mut self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let run = self.run.take().ok_or("no bytes are wanted")?;
        if bytes.len() as u64 != run.length {
            return Err(format!("{} bytes at {}, not {}", bytes.len(), run.offset, run.length));
        }
        let mut sent = Vec::with_capacity(bytes.len() + self.parts.len() * PAIR);
        for part in std::mem::take(&mut self.parts) {
            let Leaf {
                start,
                end,
                is_root,
                is_whole,
                value,
            } = match part {
                Part::Bytes(bytes) => {
                    sent.extend(bytes);
                    continue;
                }
                Part::Leaf(leaf) => leaf,
            };
            let Run { offset, length } = self.bytes_of(start, end);
            let from = (offset - run.offset) as usize;
            let group = bytes
                .get(from..from + length as usize)
                .ok_or("a leaf outside its run")?;
            let found = if is_whole {
                sent.extend_from_slice(group);
                subtree(group, start, is_root)
            } else {
                self.select(group, start, end, is_root, &mut sent)
            };
            if found != value {
                return Err(format!("the blob does not fit at byte {offset}"));
            }
        }
        Ok(sent)
    }

    /// Adds the parents and chunks of a part of a group that are asked for; the part's value.
    fn select(&self, bytes: &[u8], start: u64, end: u64, is_root: bool, sent: &mut Vec<u8>) -> Value {
        let is_whole = self.ranges.covers(start, end);
        if is_whole {
            sent.extend_from_slice(bytes);
        }
        if is_whole || end - start == 1 || !self.ranges.touches(start, end) {
            return subtree(bytes, start, is_root);
        }
        let at = sent.len();
        sent.resize(at + PAIR, 0);
        let middle = start + left_chunks(end - start);
        let (left, right) = bytes.split_at(((middle - start) * CHUNK) as usize);
        let left = self.select(left, start, middle, false, sent);
        let right = self.select(right, middle, end, false, sent);
        sent[at..at + 32].copy_from_slice(&left);
        sent[at + 32..at + PAIR].copy_from_slice(&right);
        parent(&left, &right, is_root)
    }
}
