// Package data has the forms in which the protocol writes bytes, times and JSON (spec: envelope.md).
package data

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"time"
	"unicode"

	"kez-shim/problem"
)

var (
	base64URLForm = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)
	hexForm       = regexp.MustCompile(`^(?:[0-9a-f]{2})*$`)
	timeForm      = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
)

// EncodeBase64URL writes bytes as unpadded base64url.
func EncodeBase64URL(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

// DecodeBase64URL reads the canonical unpadded form. The library's decoder would skip line feeds.
func DecodeBase64URL(text string) ([]byte, error) {
	if !base64URLForm.MatchString(text) {
		return nil, problem.EncodingMalformed
	}
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, problem.EncodingMalformed
	}
	return bytes, nil
}

// DecodeHex reads lower-case hexadecimal.
func DecodeHex(text string) ([]byte, error) {
	if !hexForm.MatchString(text) {
		return nil, problem.EncodingMalformed
	}
	return hex.DecodeString(text)
}

// IsSpace says whether a character is white space, of which the protocol has a list of its own (spec: README.md).
func IsSpace(char rune) bool {
	return char != 0x85 && unicode.IsSpace(char) || char == 0xfeff
}

// ParseTime reads a time in UTC and whole seconds, in milliseconds since 1970.
func ParseTime(text string) (int64, error) {
	if !timeForm.MatchString(text) {
		return 0, problem.TimestampMalformed
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, problem.TimestampMalformed
	}
	return parsed.UnixMilli(), nil
}
