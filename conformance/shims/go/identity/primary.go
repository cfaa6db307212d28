// Package identity has primaries, words, names and safety numbers (spec: identity.md).
package identity

import (
	"encoding/hex"
	"regexp"
	"strings"

	"kez-shim/data"
	"kez-shim/keys"
	"kez-shim/problem"
)

const (
	Ed25519 = "ed25519"
	Nostr   = "nostr"
)

// PrimaryForm is that of an account's primary; its key need not be admitted.
var PrimaryForm = regexp.MustCompile(`^ed25519:[0-9a-f]{64}$`)

// Primary is a key as text says it: 32 bytes, the x coordinate for nostr.
type Primary struct {
	Text   string
	System string
	Key    []byte
}

// Hex is the key as the paths and subjects of an account have it.
func (p Primary) Hex() string { return hex.EncodeToString(p.Key) }

// PrimaryOf writes an Ed25519 key.
func PrimaryOf(key []byte) Primary {
	return Primary{Ed25519 + ":" + hex.EncodeToString(key), Ed25519, key}
}

// ParsePrimary reads a primary of either system; an Ed25519 key is admitted.
func ParsePrimary(text string) (Primary, error) {
	if npub, isNostr := strings.CutPrefix(text, Nostr+":"); isNostr {
		x, err := keys.DecodeNpub(npub)
		return Primary{text, Nostr, x}, err
	}
	return ParseAccount(text)
}

// ParseAccount reads the primary of a chat account.
func ParseAccount(text string) (Primary, error) {
	if !PrimaryForm.MatchString(text) {
		return Primary{}, problem.KeyMalformed
	}
	key, err := hex.DecodeString(strings.TrimPrefix(text, Ed25519+":"))
	if err != nil {
		return Primary{}, err
	}
	_, err = keys.Admit(key)
	return Primary{text, Ed25519, key}, err
}

// Account reads a member that names an account.
func Account(m *data.Members, name string) Primary {
	text := m.Text(name, 0, data.Unbounded)
	if m.Err != nil {
		return Primary{}
	}
	primary, err := ParseAccount(text)
	m.Check(err)
	return primary
}
