//! Verified streaming (KEZ-FIL-014 to KEZ-FIL-018): BLAKE3's own tree, kept down to groups of 16 chunks.
use super::ranges::{Asked, Ranges};
use crate::problem::{ensure, Code, Result};
use blake3::hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode};
use blake3::Hasher;

const CHUNK: u64 = 1_024;
const GROUP_CHUNKS: u64 = 16;

/// A part of the tree over a blob of `size` bytes: the chunks from `first` up to `end`.
#[derive(Clone, Copy)]
struct Node {
    first: u64,
    end: u64,
    size: u64,
    is_root: bool,
}

fn chunks_of(size: u64) -> u64 {
    size.div_ceil(CHUNK).max(1)
}

impl Node {
    fn root(size: u64) -> Self {
        Self {
            first: 0,
            end: chunks_of(size),
            size,
            is_root: true,
        }
    }

    fn chunks(&self) -> u64 {
        self.end - self.first
    }

    /// The left child has the largest power of two of chunks below that of its parent.
    fn children(&self) -> (Self, Self) {
        let left = 1 << (self.chunks() - 1).ilog2();
        let child = |first, end| Self {
            first,
            end,
            size: self.size,
            is_root: false,
        };
        (child(self.first, self.first + left), child(self.first + left, self.end))
    }

    fn bytes(&self) -> std::ops::Range<u64> {
        self.first * CHUNK..(self.end * CHUNK).min(self.size)
    }

    fn is_leaf(&self, asked: &Asked) -> bool {
        self.chunks() == 1 || self.chunks() <= GROUP_CHUNKS && asked.all(self.first, self.end)
    }

    fn slice<'a>(&self, blob: &'a [u8]) -> &'a [u8] {
        let bytes = self.bytes();
        &blob[bytes.start as usize..bytes.end as usize]
    }

    /// The chaining value of the bytes below this node, or the hash at the root.
    fn value(&self, bytes: &[u8]) -> [u8; 32] {
        if self.is_root {
            return blake3::hash(bytes).into();
        }
        Hasher::new()
            .set_input_offset(self.first * CHUNK)
            .update(bytes)
            .finalize_non_root()
    }

    fn merged(&self, left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
        if self.is_root {
            merge_subtrees_root(left, right, Mode::Hash).into()
        } else {
            merge_subtrees_non_root(left, right, Mode::Hash)
        }
    }
}

pub struct Tree {
    pub hash: [u8; 32],
    pub outboard: Vec<u8>,
}

pub fn tree(blob: &[u8]) -> Tree {
    let mut outboard = Vec::new();
    pairs(Node::root(blob.len() as u64), blob, &mut outboard);
    Tree {
        hash: blake3::hash(blob).into(),
        outboard,
    }
}

fn write_pair(node: Node, blob: &[u8], out: &mut Vec<u8>) {
    let (left, right) = node.children();
    for child in [left, right] {
        out.extend_from_slice(&child.value(child.slice(blob)));
    }
}

fn pairs(node: Node, blob: &[u8], out: &mut Vec<u8>) {
    if node.chunks() <= GROUP_CHUNKS {
        return;
    }
    write_pair(node, blob, out);
    let (left, right) = node.children();
    pairs(left, blob, out);
    pairs(right, blob, out);
}

/// The answer to a request for some chunks.
pub fn answer(blob: &[u8], ranges: &Ranges) -> Vec<u8> {
    let root = Node::root(blob.len() as u64);
    let mut out = root.size.to_le_bytes().to_vec();
    write_answer(root, blob, &ranges.within(root.end), &mut out);
    out
}

fn write_answer(node: Node, blob: &[u8], asked: &Asked, out: &mut Vec<u8>) {
    if asked.none(node.first, node.end) {
        return;
    }
    if node.is_leaf(asked) {
        out.extend_from_slice(node.slice(blob));
        return;
    }
    write_pair(node, blob, out);
    let (left, right) = node.children();
    write_answer(left, blob, asked, out);
    write_answer(right, blob, asked, out);
}

/// Bytes of a blob that were verified, and where they stand in it.
pub struct Part {
    pub offset: u64,
    pub bytes: Vec<u8>,
}

struct Fetch<'a> {
    rest: &'a [u8],
    asked: Asked,
    parts: Vec<Part>,
}

/// Verifies an answer against the hash and size that are expected.
pub fn read(hash: &[u8; 32], size: u64, ranges: &Ranges, answer: &[u8]) -> Result<Vec<Part>> {
    let root = Node::root(size);
    let mut fetch = Fetch {
        rest: answer,
        asked: ranges.within(root.end),
        parts: Vec::new(),
    };
    let stated = fetch.take(8)?;
    ensure(
        stated == size.to_le_bytes(),
        Code::BlobMismatch,
        "a blob of another length",
    )?;
    fetch.node(root, hash)?;
    ensure(
        fetch.rest.is_empty(),
        Code::BlobMismatch,
        "bytes follow the whole answer",
    )?;
    Ok(fetch.parts)
}

impl<'a> Fetch<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let (head, rest) = split.ok_or_else(|| Code::BlobIncomplete.because("the answer ends early"))?;
        self.rest = rest;
        Ok(head)
    }

    fn value(&mut self) -> Result<[u8; 32]> {
        self.take(32)?
            .try_into()
            .map_err(|_| Code::BlobIncomplete.because("the answer ends early"))
    }

    fn node(&mut self, node: Node, expected: &[u8; 32]) -> Result<()> {
        if self.asked.none(node.first, node.end) {
            return Ok(());
        }
        let differs = "it differs from its hash";
        if node.is_leaf(&self.asked) {
            let range = node.bytes();
            let bytes = self.take(range.end - range.start)?;
            ensure(node.value(bytes) == *expected, Code::BlobMismatch, differs)?;
            self.parts.push(Part {
                offset: range.start,
                bytes: bytes.to_vec(),
            });
            return Ok(());
        }
        let (left_value, right_value) = (self.value()?, self.value()?);
        ensure(
            node.merged(&left_value, &right_value) == *expected,
            Code::BlobMismatch,
            differs,
        )?;
        let (left, right) = node.children();
        self.node(left, &left_value)?;
        self.node(right, &right_value)
    }
}
