// Package files has the blobs of files: their trees, answers, requests, tickets and encryption (spec: files.md).
package files

import (
	"encoding/binary"
	"math/bits"

	"lukechampine.com/blake3/guts"
)

const (
	chunkBytes  = 1024
	groupChunks = 16
	hashBytes   = 32
	pairBytes   = 2 * hashBytes
)

// hash is a chaining value of BLAKE3, or the hash of a whole blob.
type hash = [hashBytes]byte

// span is a subtree: chunks from start on.
type span struct{ start, chunks uint64 }

// Blob is a file's bytes with the hashes of its subtrees, which are computed when they are asked for.
type Blob struct {
	bytes  []byte
	hashes map[span]hash
}

func NewBlob(bytes []byte) *Blob { return &Blob{bytes, map[span]hash{}} }

// chunksOf is the number of chunks of a blob; an empty one has one.
func chunksOf(length uint64) uint64 { return max(1, (length+chunkBytes-1)/chunkBytes) }

// split cuts a subtree of two chunks or more.
func (s span) split() (left, right span) {
	size := uint64(1) << (bits.Len64(s.chunks-1) - 1)
	return span{s.start, size}, span{s.start + size, s.chunks - size}
}

func (b *Blob) root() span { return span{0, chunksOf(uint64(len(b.bytes)))} }

// within is the bytes of a subtree.
func (b *Blob) within(s span) []byte {
	end := min((s.start+s.chunks)*chunkBytes, uint64(len(b.bytes)))
	return b.bytes[s.start*chunkBytes : end]
}

// Hash is that of the whole blob.
func (b *Blob) Hash() hash { return b.hashOf(b.root(), true) }

func (b *Blob) hashOf(s span, isRoot bool) hash {
	if known, isKnown := b.hashes[s]; isKnown {
		return known
	}
	var made hash
	if s.chunks == 1 {
		made = chunkHash(b.within(s), s.start, isRoot)
	} else {
		left, right := s.split()
		made = parentHash(b.hashOf(left, false), b.hashOf(right, false), isRoot)
	}
	b.hashes[s] = made
	return made
}

// subtreeHash is that of bytes at a place, without a blob.
func subtreeHash(bytes []byte, start uint64, isRoot bool) hash {
	s := span{start, chunksOf(uint64(len(bytes)))}
	if s.chunks == 1 {
		return chunkHash(bytes, start, isRoot)
	}
	left, right := s.split()
	cut := left.chunks * chunkBytes
	return parentHash(subtreeHash(bytes[:cut], start, false), subtreeHash(bytes[cut:], right.start, false), isRoot)
}

func finish(node guts.Node, isRoot bool) hash {
	if isRoot {
		node.Flags |= guts.FlagRoot
	}
	return toBytes(guts.ChainingValue(node))
}

func chunkHash(bytes []byte, index uint64, isRoot bool) hash {
	return finish(guts.CompressChunk(bytes, &guts.IV, index, 0), isRoot)
}

func parentHash(left, right hash, isRoot bool) hash {
	return finish(guts.ParentNode(toWords(left), toWords(right), &guts.IV, 0), isRoot)
}

func toWords(value hash) (words [8]uint32) {
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(value[4*i:])
	}
	return words
}

func toBytes(words [8]uint32) (value hash) {
	for i, word := range words {
		binary.LittleEndian.PutUint32(value[4*i:], word)
	}
	return value
}

// Outboard is the pairs of all parents above groups, in pre-order.
func (b *Blob) Outboard() []byte { return b.outboard(nil, b.root()) }

func (b *Blob) outboard(out []byte, s span) []byte {
	if s.chunks <= groupChunks {
		return out
	}
	left, right := s.split()
	return b.outboard(b.outboard(b.pair(out, s), left), right)
}

// pair appends the hashes of both children.
func (b *Blob) pair(out []byte, s span) []byte {
	left, right := s.split()
	leftHash, rightHash := b.hashOf(left, false), b.hashOf(right, false)
	return append(append(out, leftHash[:]...), rightHash[:]...)
}
