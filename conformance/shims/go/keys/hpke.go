package keys

import (
	"crypto/hkdf"
	"crypto/sha256"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// The suite of messages.md: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
var (
	kemSuite  = []byte("KEM\x00\x20")
	hpkeSuite = []byte("HPKE\x00\x20\x00\x01\x00\x03")
)

// Sealed is what HPKE in mode Base makes, with the values on the way, named as in RFC 9180.
type Sealed struct {
	Enc, DH, SharedSecret, Key, Nonce, Ciphertext []byte
}

// Derive is HKDF-SHA256.
func Derive(secret, salt []byte, info string, length int) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, length)
	if err != nil {
		panic(err)
	}
	return key
}

func labeledExtract(suite, salt []byte, label string, ikm []byte) []byte {
	key, err := hkdf.Extract(sha256.New, slices.Concat([]byte("HPKE-v1"), suite, []byte(label), ikm), salt)
	if err != nil {
		panic(err)
	}
	return key
}

func labeledExpand(suite, key []byte, label string, info []byte, length int) []byte {
	labeled := slices.Concat([]byte{byte(length >> 8), byte(length)}, []byte("HPKE-v1"), suite, []byte(label), info)
	out, err := hkdf.Expand(sha256.New, key, string(labeled), length)
	if err != nil {
		panic(err)
	}
	return out
}

// schedule derives key and nonce from the shared secret of a key encapsulation.
func (s *Sealed) schedule(reader []byte, info string) {
	extracted := labeledExtract(kemSuite, nil, "eae_prk", s.DH)
	s.SharedSecret = labeledExpand(kemSuite, extracted, "shared_secret", slices.Concat(s.Enc, reader), 32)
	context := slices.Concat(
		[]byte{0},
		labeledExtract(hpkeSuite, nil, "psk_id_hash", nil),
		labeledExtract(hpkeSuite, nil, "info_hash", []byte(info)),
	)
	secret := labeledExtract(hpkeSuite, s.SharedSecret, "secret", nil)
	s.Key = labeledExpand(hpkeSuite, secret, "key", context, 32)
	s.Nonce = labeledExpand(hpkeSuite, secret, "base_nonce", context, 12)
}

// Seal encrypts to an account's Ed25519 key. The ephemeral private key is random outside vectors.
func Seal(reader, ephemeral []byte, info string, aad, plaintext []byte) (*Sealed, error) {
	public, err := AgreementKey(reader)
	if err != nil {
		return nil, err
	}
	dh, err := Agree(ephemeral, public)
	if err != nil {
		return nil, err
	}
	sealed := &Sealed{Enc: AgreementPublic(ephemeral), DH: dh}
	sealed.schedule(public, info)
	sealed.Ciphertext = Encrypt(sealed.Key, sealed.Nonce, aad, plaintext)
	return sealed, nil
}

// Open decrypts what was sealed to the account of a seed.
func Open(seed, enc []byte, info string, aad, ciphertext []byte) ([]byte, error) {
	private := AgreementPrivate(seed)
	dh, err := Agree(private, enc)
	if err != nil {
		return nil, err
	}
	sealed := &Sealed{Enc: enc, DH: dh}
	sealed.schedule(AgreementPublic(private), info)
	return Decrypt(sealed.Key, sealed.Nonce, aad, ciphertext)
}

// Encrypt is ChaCha20-Poly1305.
func Encrypt(key, nonce, aad, plaintext []byte) []byte {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err)
	}
	return aead.Seal(nil, nonce, plaintext, aad)
}

// Decrypt fails where the tag does not verify.
func Decrypt(key, nonce, aad, ciphertext []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err)
	}
	return aead.Open(nil, nonce, ciphertext, aad)
}
