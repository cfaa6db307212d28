package files

import "slices"

// Ranges is a set of chunks as rising boundaries, beginning outside.
type Ranges []uint64

// contains says whether a chunk is in the set.
func (r Ranges) contains(chunk uint64) bool {
	at, isBoundary := slices.BinarySearch(r, chunk)
	if isBoundary {
		at++
	}
	return at%2 == 1
}

// wanted says how much of a subtree is asked for, of a blob with so many chunks. What lies at or beyond the last chunk
// means the last chunk.
func (r Ranges) wanted(s span, chunks uint64) (some, all bool) {
	end := s.start + s.chunks
	if end == chunks {
		return r.intersects(s.start, ^uint64(0)), r.covers(s.start, end-1) && r.intersects(end-1, ^uint64(0))
	}
	return r.intersects(s.start, end), r.covers(s.start, end)
}

// intersects says whether a chunk from start up to end, which is not among them, is in the set.
func (r Ranges) intersects(start, end uint64) bool {
	return r.contains(start) || slices.ContainsFunc(r, func(b uint64) bool { return b > start && (b < end || end == ^uint64(0)) })
}

// covers says whether all chunks from start up to end are in the set.
func (r Ranges) covers(start, end uint64) bool {
	return start >= end ||
		r.contains(start) && !slices.ContainsFunc(r, func(b uint64) bool { return b > start && b < end })
}
