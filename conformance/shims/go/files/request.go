package files

import (
	"encoding/binary"
	"slices"

	"kez-shim/problem"
)

const maxRequestBytes = 65_536

// kinds of requests, by their first byte.
var kinds = map[byte]string{0: "get", 1: "observe", 8: "push", 9: "getMany"}

// Request asks for chunks of a blob.
func Request(root []byte, ranges Ranges) []byte {
	request := append([]byte{0}, root...)
	if len(ranges) == 0 {
		return append(request, 0)
	}
	request = append(request, 2, 0)
	request = binary.AppendUvarint(request, uint64(len(ranges)))
	before := uint64(0)
	for _, boundary := range ranges {
		request = binary.AppendUvarint(request, boundary-before)
		before = boundary
	}
	return append(request, 1, 0)
}

// ReadRequest yields the kind of a request and, of `get`, whether it asks for listed blobs.
func ReadRequest(request []byte) (kind string, listed bool, err error) {
	s := &source{request, problem.RequestMalformed}
	first, err := s.byte()
	if err != nil {
		return "", false, err
	}
	kind, isKnown := kinds[first]
	if !isKnown || len(request) > maxRequestBytes {
		return "", false, problem.RequestMalformed
	}
	if kind != "get" {
		return kind, false, nil
	}
	if _, err := s.take(hashBytes); err != nil {
		return "", false, err
	}
	listed, err = s.pairs()
	if err == nil && len(s.rest) > 0 {
		err = problem.RequestMalformed
	}
	return kind, listed, err
}

// pairs says whether a set holds beyond item 0.
func (s *source) pairs() (listed bool, err error) {
	count, err := s.varint()
	if err != nil {
		return false, err
	}
	var item uint64
	var before Ranges
	for i := range count {
		next, err := s.distance(item, i == 0)
		if err != nil {
			return false, err
		}
		// The set before held from its item up to this one.
		listed = listed || len(before) > 0 && next > 1
		item = next
		set, err := s.set()
		if err != nil {
			return false, err
		}
		if slices.Equal(set, before) {
			return false, problem.RequestMalformed
		}
		before = set
	}
	return listed || len(before) > 0, nil
}

func (s *source) set() (Ranges, error) {
	count, err := s.varint()
	if err != nil {
		return nil, err
	}
	var set Ranges
	var boundary uint64
	for i := range count {
		if boundary, err = s.distance(boundary, i == 0); err != nil {
			return nil, err
		}
		set = append(set, boundary)
	}
	return set, nil
}
