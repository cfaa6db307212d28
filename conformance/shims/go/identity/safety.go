package identity

import (
	"bytes"
	"crypto/sha512"
	"fmt"
	"slices"
	"strings"

	"kez-shim/data"
	"kez-shim/problem"
)

const (
	safetyLabel = "kez.chat.safety-number/1\x00"
	qrPrefix    = "kez:sn1:"
)

// SafetyNumber is what two people compare.
type SafetyNumber struct {
	Digest []byte
	// Number is twelve groups of digits with a space between.
	Number string
	QR     string
}

// SafetyNumberOf is the same for both sides.
func SafetyNumberOf(a, b Primary) SafetyNumber {
	both := [][]byte{a.Key, b.Key}
	slices.SortFunc(both, bytes.Compare)
	digest := sha512.Sum512(slices.Concat([]byte(safetyLabel), both[0], both[1]))
	groups := make([]string, 12)
	for i := range groups {
		var value uint64
		for _, b := range digest[5*i : 5*i+5] {
			value = value<<8 | uint64(b)
		}
		groups[i] = fmt.Sprintf("%05d", value%100000)
	}
	return SafetyNumber{digest[:], strings.Join(groups, " "), qrPrefix + data.EncodeBase64URL(digest[:])}
}

// ParseQR yields the digest in a scanned text.
func ParseQR(text string) ([]byte, error) {
	encoded, isQR := strings.CutPrefix(text, qrPrefix)
	digest, err := data.DecodeBase64URL(encoded)
	if !isQR || err != nil || len(digest) != sha512.Size {
		return nil, problem.EncodingMalformed
	}
	return digest, nil
}
