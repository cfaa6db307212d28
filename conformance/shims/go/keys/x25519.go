package keys

import (
	"crypto/ecdh"
	"crypto/sha512"

	"kez-shim/problem"
)

// AgreementKey is the X25519 image of an admitted Ed25519 key (KEZ-KEY-010).
func AgreementKey(key []byte) ([]byte, error) {
	point, err := Admit(key)
	if err != nil {
		return nil, err
	}
	return point.BytesMontgomery(), nil
}

// AgreementPrivate is the X25519 private key of a seed; it is clamped where it is used (KEZ-KEY-011).
func AgreementPrivate(seed []byte) []byte {
	digest := sha512.Sum512(seed)
	return digest[:32]
}

// AgreementPublic is the X25519 public key of a private one.
func AgreementPublic(private []byte) []byte {
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		panic(err)
	}
	return key.PublicKey().Bytes()
}

// Agree is X25519, which refuses a shared secret of zeros (KEZ-KEY-012).
func Agree(private, public []byte) ([]byte, error) {
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return nil, err
	}
	peer, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	secret, err := key.ECDH(peer)
	if err != nil {
		return nil, problem.ZeroSharedSecret
	}
	return secret, nil
}

// AgreeAccounts is the shared secret of a seed and an account's Ed25519 key.
func AgreeAccounts(seed, key []byte) ([]byte, error) {
	public, err := AgreementKey(key)
	if err != nil {
		return nil, err
	}
	return Agree(AgreementPrivate(seed), public)
}
