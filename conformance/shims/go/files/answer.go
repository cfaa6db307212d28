package files

import (
	"encoding/binary"

	"kez-shim/problem"
)

const sizeBytes = 8

// Answer is that to a set of chunks.
func (b *Blob) Answer(ranges Ranges) []byte {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(b.bytes)))
	return b.answer(length, b.root(), ranges)
}

func (b *Blob) answer(out []byte, s span, ranges Ranges) []byte {
	switch some, all := ranges.wanted(s, b.root().chunks); {
	case !some:
		return out
	case all && s.chunks <= groupChunks:
		return append(out, b.within(s)...)
	}
	left, right := s.split()
	return b.answer(b.answer(b.pair(out, s), left, ranges), right, ranges)
}

// Leaf is bytes that were verified.
type Leaf struct {
	Offset uint64
	Bytes  []byte
}

type reader struct {
	rest   []byte
	size   uint64
	ranges Ranges
	leaves []Leaf
}

// ReadAnswer verifies an answer to a set of chunks of an offered blob.
func ReadAnswer(answer []byte, root []byte, size uint64, ranges Ranges) ([]Leaf, error) {
	r := &reader{answer, size, ranges, []Leaf{}}
	length, err := r.take(sizeBytes)
	if err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint64(length) != size {
		return nil, problem.BlobMismatch
	}
	if err := r.read(span{0, chunksOf(size)}, hash(root), true); err != nil {
		return nil, err
	}
	if len(r.rest) > 0 {
		return nil, problem.BlobMismatch
	}
	return r.leaves, nil
}

func (r *reader) take(length uint64) ([]byte, error) {
	if uint64(len(r.rest)) < length {
		return nil, problem.BlobIncomplete
	}
	taken := r.rest[:length]
	r.rest = r.rest[length:]
	return taken, nil
}

// read verifies a subtree against the hash that is expected of it.
func (r *reader) read(s span, expected hash, isRoot bool) error {
	some, all := r.ranges.wanted(s, chunksOf(r.size))
	if !some {
		return nil
	}
	if all && s.chunks <= groupChunks {
		offset := s.start * chunkBytes
		bytes, err := r.take(min(s.chunks*chunkBytes, r.size-offset))
		if err != nil {
			return err
		}
		if subtreeHash(bytes, s.start, isRoot) != expected {
			return problem.BlobMismatch
		}
		r.leaves = append(r.leaves, Leaf{offset, bytes})
		return nil
	}
	pair, err := r.take(pairBytes)
	if err != nil {
		return err
	}
	leftHash, rightHash := hash(pair[:hashBytes]), hash(pair[hashBytes:])
	if parentHash(leftHash, rightHash, isRoot) != expected {
		return problem.BlobMismatch
	}
	left, right := s.split()
	if err := r.read(left, leftHash, false); err != nil {
		return err
	}
	return r.read(right, rightHash, false)
}
