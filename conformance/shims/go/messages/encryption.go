package messages

import (
	"bytes"
	"maps"
	"slices"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/problem"
	"kez-shim/statements"
)

const (
	suite         = "x25519-hkdf-sha256-chacha20poly1305"
	messageLabel  = "kez.chat.message/1\x00"
	sealLabel     = "kez.chat.seal/1"
	frameVersion  = 1
	minFrameBytes = 50
	maxFrameBytes = 65_536
	encEnd        = 33
	tagBytes      = 16
)

// Encrypted is a message on the way to its envelope.
type Encrypted struct {
	SharedSecret, OKM, AAD, Plaintext, Ciphertext []byte
	Info                                          string
	Envelope                                      *statements.Envelope
}

// Header is what an author says beside the body; Prev can be empty.
type Header struct {
	ID, Device, CreatedAt, Prev, Salt string
	Seq                               int64
}

// derive yields the shared secret and what key and nonce are cut from.
func derive(seed, peer, from, to, salt []byte) (secret, okm []byte, info string, err error) {
	secret, err = keys.AgreeAccounts(seed, peer)
	if err != nil {
		return nil, nil, "", err
	}
	info = messageLabel + string(from) + string(to)
	return secret, keys.Derive(secret, salt, info, 44), info, nil
}

// Encrypt makes the envelope of a body, whatever that says.
func Encrypt(seed []byte, to identity.Primary, header Header, body []byte) (*Encrypted, error) {
	if len(body) > maxBodyBytes {
		return nil, problem.MessageTooLarge
	}
	salt, err := data.DecodeBase64URL(header.Salt)
	if err != nil {
		return nil, err
	}
	from := identity.PrimaryOf(keys.PublicKey(seed))
	secret, okm, info, err := derive(seed, to.Key, from.Key, to.Key, salt)
	if err != nil {
		return nil, err
	}
	payload := data.Object{
		"type":       "kez.chat.message",
		"version":    int64(1),
		"id":         header.ID,
		"from":       from.Text,
		"to":         to.Text,
		"device":     header.Device,
		"created_at": header.CreatedAt,
		"seq":        header.Seq,
		"suite":      suite,
		"salt":       header.Salt,
	}
	if header.Prev != "" {
		payload["prev"] = header.Prev
	}
	e := &Encrypted{SharedSecret: secret, OKM: okm, Info: info, AAD: data.Canonical(payload), Plaintext: Pad(body)}
	e.Ciphertext = keys.Encrypt(okm[:32], okm[32:], e.AAD, e.Plaintext)
	payload["ciphertext"] = data.EncodeBase64URL(e.Ciphertext)
	e.Envelope = statements.Sign(statements.Message, payload, seed)
	return e, nil
}

// decrypt yields the body of a message whose signature was verified.
func decrypt(seed, peer []byte, m *message) ([]byte, error) {
	_, okm, _, err := derive(seed, peer, m.from.Key, m.to.Key, m.salt)
	if err != nil {
		return nil, err
	}
	header := maps.Clone(m.envelope.Payload)
	delete(header, "ciphertext")
	plaintext, err := keys.Decrypt(okm[:32], okm[32:], data.Canonical(header), m.ciphertext)
	if err != nil {
		return nil, problem.MessageUndecryptable
	}
	return Unpad(plaintext)
}

// SealAAD is the associated data of a frame to a reader.
func SealAAD(reader []byte) []byte { return append([]byte{frameVersion}, reader...) }

// Frame lays out a sealed envelope.
func Frame(sealed *keys.Sealed) []byte {
	return slices.Concat([]byte{frameVersion}, sealed.Enc, sealed.Ciphertext)
}

// Seal seals the JCS form of an envelope that fits into a frame.
func Seal(reader identity.Primary, ephemeral, envelope []byte) (*keys.Sealed, error) {
	if encEnd+len(envelope)+tagBytes > maxFrameBytes {
		return nil, problem.MessageTooLarge
	}
	return keys.Seal(reader.Key, ephemeral, sealLabel, SealAAD(reader.Key), envelope)
}

// unseal yields the text of the envelope in a frame.
func unseal(seed, own, frame []byte) ([]byte, error) {
	if len(frame) < minFrameBytes || len(frame) > maxFrameBytes || !bytes.HasPrefix(frame, []byte{frameVersion}) {
		return nil, problem.FrameMalformed
	}
	text, err := keys.Open(seed, frame[1:encEnd], sealLabel, SealAAD(own), frame[encEnd:])
	if err != nil {
		return nil, problem.FrameUnreadable
	}
	return text, nil
}
