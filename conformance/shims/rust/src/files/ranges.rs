//! Sets of chunks as rising boundaries, beginning outside.

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(pub Vec<u64>);

impl Ranges {
    /// The chunks of a blob of `chunks` chunks that are asked for, as pairs of first and end. Whatever is asked for at or
    /// beyond the last chunk means the last chunk.
    pub fn within(&self, chunks: u64) -> Asked {
        let pairs = self.0.chunks(2).map(|pair| (pair[0], pair.get(1).copied()));
        let clip = |(first, end): (u64, Option<u64>)| match end {
            Some(end) if end < chunks => (first, end),
            _ => (first.min(chunks - 1), chunks),
        };
        Asked(pairs.map(clip).collect())
    }
}

/// Pairs of first and end; they can overlap at the last chunk.
pub struct Asked(Vec<(u64, u64)>);

impl Asked {
    /// How many of the chunks from `first` up to `end` are asked for.
    fn count(&self, first: u64, end: u64) -> u64 {
        let mut reached = first;
        let mut count = 0;
        for (from, to) in &self.0 {
            let (from, to) = ((*from).max(reached), (*to).min(end));
            if from < to {
                count += to - from;
                reached = to;
            }
        }
        count
    }

    pub fn none(&self, first: u64, end: u64) -> bool {
        self.count(first, end) == 0
    }

    pub fn all(&self, first: u64, end: u64) -> bool {
        self.count(first, end) == end - first
    }
}
