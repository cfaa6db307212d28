// Package keys has the curves: Ed25519 and its admission of keys, X25519, HPKE, and signatures of nostr.
package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"

	"filippo.io/edwards25519"

	"kez-shim/problem"
)

// minusOne is L - 1, so that [L-1]A + A is [L]A: scalars of the library are below L.
var minusOne = func() *edwards25519.Scalar {
	one, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{1}, make([]byte, 31)...))
	if err != nil {
		panic(err)
	}
	return edwards25519.NewScalar().Negate(one)
}()

// Admit decodes a public key that is canonical, not of small order and free of torsion (KEZ-KEY-006).
func Admit(key []byte) (*edwards25519.Point, error) {
	point, err := new(edwards25519.Point).SetBytes(key)
	if err != nil || !bytes.Equal(point.Bytes(), key) {
		return nil, problem.KeyRejected
	}
	identity := edwards25519.NewIdentityPoint()
	if new(edwards25519.Point).MultByCofactor(point).Equal(identity) == 1 {
		return nil, problem.KeyRejected
	}
	multiple := new(edwards25519.Point).ScalarMult(minusOne, point)
	if multiple.Add(multiple, point).Equal(identity) != 1 {
		return nil, problem.KeyRejected
	}
	return point, nil
}

// Verify follows KEZ-KEY-008: the cofactorless equation, compared as bytes.
func Verify(key, message, signature []byte) error {
	point, err := Admit(key)
	if err != nil {
		return err
	}
	if len(signature) != ed25519.SignatureSize {
		return problem.SignatureInvalid
	}
	s, err := edwards25519.NewScalar().SetCanonicalBytes(signature[32:])
	if err != nil {
		return problem.SignatureInvalid
	}
	hash := sha512.New()
	hash.Write(signature[:32])
	hash.Write(key)
	hash.Write(message)
	k, err := edwards25519.NewScalar().SetUniformBytes(hash.Sum(nil))
	if err != nil {
		return err
	}
	negated := new(edwards25519.Point).Negate(point)
	r := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(k, negated, s)
	if !bytes.Equal(r.Bytes(), signature[:32]) {
		return problem.SignatureInvalid
	}
	return nil
}

// PublicKey is the Ed25519 key of a seed.
func PublicKey(seed []byte) []byte {
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
}

// Sign makes an Ed25519 signature.
func Sign(seed, message []byte) []byte { return ed25519.Sign(ed25519.NewKeyFromSeed(seed), message) }
