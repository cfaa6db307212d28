//! Blobs of the bytes i mod 251, and sets of their chunks.
use bao_tree::{ChunkNum, ChunkRanges};

pub fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251) as u8).collect()
}

/// A set of chunks from its rising boundaries, beginning outside.
pub fn ranges(boundaries: &[u64]) -> ChunkRanges {
    let mut ranges = ChunkRanges::empty();
    for pair in boundaries.chunks(2) {
        ranges |= match pair {
            [start, end] => ChunkRanges::from(ChunkNum(*start)..ChunkNum(*end)),
            _ => ChunkRanges::from(ChunkNum(pair[0])..),
        };
    }
    ranges
}
