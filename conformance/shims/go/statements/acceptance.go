package statements

import (
	"crypto/sha256"
	"encoding/hex"

	"kez-shim/data"
	"kez-shim/identity"
)

func sha256Name(parts ...[]byte) string {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(part)
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}

// VerifyAcceptance verifies what a home signed of a send, and returns the names of recipient and frame in it
// (KEZ-NAT-103).
func VerifyAcceptance(
	server string, key, recipient identity.Primary, frame []byte, acceptedAt string, signature []byte,
) (data.Object, error) {
	named := data.Object{
		"recipient": sha256Name([]byte("kez.chat.acceptance/1\x00"), recipient.Key),
		"frame":     sha256Name(frame),
	}
	payload := data.Object{
		"type":        "kez.chat.acceptance",
		"version":     int64(1),
		"server":      server,
		"key":         key.Text,
		"recipient":   named["recipient"],
		"frame":       named["frame"],
		"accepted_at": acceptedAt,
	}
	return named, verify(key, payload, hex.EncodeToString(signature))
}
