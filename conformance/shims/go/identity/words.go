package identity

import (
	"crypto/sha256"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"kez-shim/data"
	"kez-shim/problem"
)

const shortLabel = "kez-bip39-12-v1"

func lowerASCII(char rune) rune {
	if char >= 'A' && char <= 'Z' {
		return char + 'a' - 'A'
	}
	return char
}

// SeedOf restores a seed from 24 or 12 words.
func SeedOf(text string) ([]byte, error) {
	words := strings.FieldsFunc(strings.Map(lowerASCII, text), data.IsSpace)
	if len(words) != 24 && len(words) != 12 {
		return nil, problem.MnemonicInvalid
	}
	entropy, err := bip39.EntropyFromMnemonic(strings.Join(words, " "))
	if err != nil {
		return nil, problem.MnemonicInvalid
	}
	if len(words) == 12 {
		seed := sha256.Sum256(append([]byte(shortLabel), entropy...))
		return seed[:], nil
	}
	return entropy, nil
}
