//! BLAKE3's tree over a blob, as far as answers need it: chunks of 1 KiB, groups of 16 chunks, and the order in which
//! iroh-blobs 0.104 writes parents and leaves (`Blake3Tree.ts` and `ChunkRanges.ts` of the SDK say the same).
use blake3::{
    hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode},
    Hasher,
};

pub const CHUNK: u64 = 1024;
pub const GROUP_CHUNKS: u64 = 16;
pub const GROUP: usize = 16 * 1024;
/// Bytes of a parent: the values of both children.
pub const PAIR: usize = 64;

/// A hash, or the chaining value of a subtree.
pub type Value = [u8; 32];

/// A set of chunks: the numbers at which membership changes, beginning outside.
pub struct Ranges(Vec<u64>);

impl Ranges {
    /// None unless the boundaries are integers that rise.
    pub fn new(boundaries: &[f64]) -> Option<Self> {
        let numbers: Option<Vec<u64>> = boundaries.iter().map(|number| whole(*number)).collect();
        numbers.filter(|all| all.is_sorted_by(|a, b| a < b)).map(Self)
    }

    fn rank(&self, chunk: u64) -> usize {
        self.0.partition_point(|boundary| *boundary <= chunk)
    }

    fn after(&self, rank: usize) -> u64 {
        self.0.get(rank).copied().unwrap_or(u64::MAX)
    }

    /// Whether all chunks from `start` up to `end` are in the set.
    pub fn covers(&self, start: u64, end: u64) -> bool {
        let rank = self.rank(start);
        rank % 2 == 1 && self.after(rank) >= end
    }

    /// Whether any of them is.
    pub fn touches(&self, start: u64, end: u64) -> bool {
        let rank = self.rank(start);
        rank % 2 == 1 || self.after(rank) < end
    }
}

/// An integer that JavaScript counts exactly.
pub fn whole(number: f64) -> Option<u64> {
    let is_exact = (0.0..=9_007_199_254_740_991.0).contains(&number) && number.fract() == 0.0;
    is_exact.then_some(number as u64)
}

/// Chunks of a blob; an empty one has one.
pub fn chunk_count(size: u64) -> u64 {
    size.div_ceil(CHUNK).max(1)
}

/// Bytes of a blob's outboard: a pair for every group but one.
pub fn outboard_length(size: u64) -> u64 {
    (size.div_ceil(GROUP as u64).max(1) - 1) * PAIR as u64
}

/// Chunks of the left child of a node of at least two: the largest power of two below.
pub fn left_chunks(chunks: u64) -> u64 {
    1 << (63 - (chunks - 1).leading_zeros())
}

/// The value of the subtree over these bytes, at most a group.
pub fn subtree(bytes: &[u8], start: u64, is_root: bool) -> Value {
    let mut hasher = Hasher::new();
    if is_root {
        return *hasher.update(bytes).finalize().as_bytes();
    }
    hasher.set_input_offset(start * CHUNK).update(bytes).finalize_non_root()
}

/// The value of a parent.
pub fn parent(left: &Value, right: &Value, is_root: bool) -> Value {
    if is_root {
        *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash)
    }
}

/// The children's values, if the pair has this value.
pub fn children(pair: &[u8], value: &Value, is_root: bool) -> Option<(Value, Value)> {
    let (left, right) = pair.split_at_checked(32)?;
    let (left, right): (Value, Value) = (left.try_into().ok()?, right.try_into().ok()?);
    (parent(&left, &right, is_root) == *value).then_some((left, right))
}

/// A node of an answer; `start` and `end` are chunks.
#[derive(Clone, Copy)]
pub enum Step {
    Parent {
        /// Its pair's place in the outboard; none inside a group.
        index: Option<u64>,
        start: u64,
        is_root: bool,
        left: bool,
        right: bool,
    },
    Leaf {
        start: u64,
        end: u64,
        is_root: bool,
        /// Whether all of it is asked for: not always, for leaves by groups.
        is_whole: bool,
    },
}

struct Node {
    start: u64,
    end: u64,
    index: u64,
    is_root: bool,
}

/// An answer's nodes in order: every parent above groups; inside one those of parts asked for, unless by groups.
pub struct Steps {
    pub ranges: Ranges,
    by_groups: bool,
    stack: Vec<Node>,
}

impl Steps {
    /// `ranges` are within the blob.
    pub fn new(size: u64, ranges: Ranges, by_groups: bool) -> Self {
        let end = chunk_count(size);
        let root = Node {
            start: 0,
            end,
            index: 0,
            is_root: true,
        };
        let stack = if ranges.touches(0, end) { vec![root] } else { Vec::new() };
        Self {
            ranges,
            by_groups,
            stack,
        }
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let Node {
            start,
            end,
            index,
            is_root,
        } = self.stack.pop()?;
        let is_whole = self.ranges.covers(start, end);
        let in_group = end - start <= GROUP_CHUNKS;
        if end - start == 1 || (in_group && (is_whole || self.by_groups)) {
            return Some(Step::Leaf {
                start,
                end,
                is_root,
                is_whole,
            });
        }
        let middle = start + left_chunks(end - start);
        let left = self.ranges.touches(start, middle);
        let right = self.ranges.touches(middle, end);
        if right {
            let index = index + (middle - start) / GROUP_CHUNKS;
            self.stack.push(Node {
                start: middle,
                end,
                index,
                is_root: false,
            });
        }
        if left {
            self.stack.push(Node {
                start,
                end: middle,
                index: index + 1,
                is_root: false,
            });
        }
        let index = (!in_group).then_some(index);
        Some(Step::Parent {
            index,
            start,
            is_root,
            left,
            right,
        })
    }
}
