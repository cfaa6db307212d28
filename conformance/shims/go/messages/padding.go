// Package messages has what two accounts say to each other: padding, encryption, seal, bodies, and what a contact is
// (spec: messages.md).
package messages

import (
	"encoding/binary"
	"math/bits"

	"kez-shim/problem"
)

const (
	maxBodyBytes = 40_960
	lengthBytes  = 4
	leastPadded  = 32
)

// PaddedLength is that of the plaintext of a body.
func PaddedLength(body int) int {
	if body <= leastPadded {
		return lengthBytes + leastPadded
	}
	power := 1 << bits.Len(uint(body-1))
	class := leastPadded
	if power > 256 {
		class = power / 8
	}
	return lengthBytes + class*((body+class-1)/class)
}

// Pad lays out a body of 1 to 40,960 bytes.
func Pad(body []byte) []byte {
	plaintext := make([]byte, PaddedLength(len(body)))
	binary.BigEndian.PutUint32(plaintext, uint32(len(body)))
	copy(plaintext[lengthBytes:], body)
	return plaintext
}

// Unpad yields the body of a plaintext.
func Unpad(plaintext []byte) ([]byte, error) {
	if len(plaintext) < lengthBytes {
		return nil, problem.PaddingInvalid
	}
	length := binary.BigEndian.Uint32(plaintext)
	if length < 1 || length > maxBodyBytes || len(plaintext) != PaddedLength(int(length)) {
		return nil, problem.PaddingInvalid
	}
	end := lengthBytes + int(length)
	for _, b := range plaintext[end:] {
		if b != 0 {
			return nil, problem.PaddingInvalid
		}
	}
	return plaintext[lengthBytes:end], nil
}
