package keys

import (
	"strings"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"kez-shim/problem"
)

// VerifyNostr is BIP-340 under the x coordinate of a public key.
func VerifyNostr(x, digest, signature []byte) error {
	key, err := schnorr.ParsePubKey(x)
	if err != nil {
		return problem.SignatureInvalid
	}
	parsed, err := schnorr.ParseSignature(signature)
	if err != nil || !parsed.Verify(digest, key) {
		return problem.SignatureInvalid
	}
	return nil
}

const (
	npubPrefix   = "npub"
	bech32Digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	// The human-readable part, the separator, 52 digits of five bits and six of checksum.
	npubLength = 4 + 1 + 52 + 6
)

var bech32Generator = [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}

func bech32Step(checksum uint32, value byte) uint32 {
	top := checksum >> 25
	checksum = checksum&0x1ffffff<<5 ^ uint32(value)
	for i, generator := range bech32Generator {
		if top>>i&1 == 1 {
			checksum ^= generator
		}
	}
	return checksum
}

// DecodeNpub reads NIP-19's bech32 of an x coordinate, in lower case and without stray bits.
func DecodeNpub(text string) ([]byte, error) {
	digits, isNpub := strings.CutPrefix(text, npubPrefix+"1")
	if !isNpub || len(text) != npubLength {
		return nil, problem.KeyMalformed
	}
	checksum := uint32(1)
	for i := range npubPrefix {
		checksum = bech32Step(checksum, npubPrefix[i]>>5)
	}
	checksum = bech32Step(checksum, 0)
	for i := range npubPrefix {
		checksum = bech32Step(checksum, npubPrefix[i]&31)
	}
	var x []byte
	var bits, count uint
	for i := range len(digits) {
		value := strings.IndexByte(bech32Digits, digits[i])
		if value < 0 {
			return nil, problem.KeyMalformed
		}
		checksum = bech32Step(checksum, byte(value))
		if i >= len(digits)-6 {
			continue
		}
		bits, count = bits<<5|uint(value), count+5
		if count >= 8 {
			count -= 8
			x = append(x, byte(bits>>count))
			bits &= 1<<count - 1
		}
	}
	if checksum != 1 || bits != 0 {
		return nil, problem.KeyMalformed
	}
	return x, nil
}
