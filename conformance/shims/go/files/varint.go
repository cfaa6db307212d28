package files

import (
	"encoding/binary"

	"kez-shim/problem"
)

// source reads bytes that a peer sent, and fails with a code of its own.
type source struct {
	rest []byte
	code problem.Code
}

func (s *source) take(length int) ([]byte, error) {
	if len(s.rest) < length {
		return nil, s.code
	}
	taken := s.rest[:length]
	s.rest = s.rest[length:]
	return taken, nil
}

func (s *source) byte() (byte, error) {
	bytes, err := s.take(1)
	if err != nil {
		return 0, err
	}
	return bytes[0], nil
}

// varint is the shortest form of a number below 2^64.
func (s *source) varint() (uint64, error) {
	value, length := binary.Uvarint(s.rest)
	if length <= 0 || length > 1 && s.rest[length-1] == 0 {
		return 0, s.code
	}
	s.rest = s.rest[length:]
	return value, nil
}

// distance follows another, and is 0 only where it is the first.
func (s *source) distance(from uint64, isFirst bool) (uint64, error) {
	distance, err := s.varint()
	if err != nil {
		return 0, err
	}
	if distance == 0 && !isFirst || from+distance < from {
		return 0, s.code
	}
	return from + distance, nil
}
