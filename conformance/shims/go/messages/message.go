package messages

import (
	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/problem"
	"kez-shim/statements"
)

// Roles of a message for its reader.
const (
	incoming = "incoming"
	sent     = "sent"
	note     = "note"
)

const (
	idBytes            = 16
	saltBytes          = 32
	minCiphertextBytes = 52
	maxCiphertextBytes = 40_980
)

// Opened is a message that took every step up to its body.
type Opened struct {
	Role           string
	Peer, From, To identity.Primary
	ID, Device     string
	Seq            int64
	Hash           string
	Body           data.Object
}

// message is an envelope whose members have their forms.
type message struct {
	envelope         *statements.Envelope
	from, to         identity.Primary
	seq              int64
	salt, ciphertext []byte
}

func read(envelope *statements.Envelope) (*message, error) {
	m := data.MembersOf(envelope.Payload, problem.MessageMalformed)
	m.Bytes("id", idBytes, idBytes)
	m.Bytes("device", idBytes, idBytes)
	from, to := identity.Account(m, "from"), identity.Account(m, "to")
	m.Time("created_at")
	seq := m.Integer("seq", 0, data.Unbounded)
	if m.Has("prev") {
		m.Match("prev", data.SHA256Form)
	}
	if m.Text("suite", 0, data.Unbounded) != suite {
		m.Check(problem.SuiteUnsupported)
	}
	salt := m.Bytes("salt", saltBytes, saltBytes)
	ciphertext := m.Bytes("ciphertext", minCiphertextBytes, maxCiphertextBytes)
	return &message{envelope, from, to, seq, salt, ciphertext}, m.Err
}

// Open takes the steps of receiving up to the body, in their order.
func Open(seed, frame []byte) (*Opened, error) {
	own := identity.PrimaryOf(keys.PublicKey(seed))
	text, err := unseal(seed, own.Key, frame)
	if err != nil {
		return nil, err
	}
	envelope, err := statements.Parse(text, statements.MaxEnvelopeBytes)
	if err != nil {
		return nil, err
	}
	if err := envelope.Expect(statements.Message); err != nil {
		return nil, err
	}
	m, err := read(envelope)
	if err != nil {
		return nil, err
	}
	if err := envelope.Verify(); err != nil {
		return nil, err
	}
	role, peer, err := roleOf(own, m)
	if err != nil {
		return nil, err
	}
	bytes, err := decrypt(seed, peer.Key, m)
	if err != nil {
		return nil, err
	}
	body, err := readBody(bytes, m.from)
	if err != nil {
		return nil, err
	}
	id, _ := envelope.Payload["id"].(string)
	device, _ := envelope.Payload["device"].(string)
	return &Opened{role, peer, m.from, m.to, id, device, m.seq, envelope.Hash(), body}, nil
}

func roleOf(own identity.Primary, m *message) (string, identity.Primary, error) {
	switch isFrom, isTo := m.from.Text == own.Text, m.to.Text == own.Text; {
	case isFrom && isTo:
		return note, own, nil
	case isFrom:
		return sent, m.to, nil
	case isTo:
		return incoming, m.from, nil
	}
	return "", identity.Primary{}, problem.MessageMisdirected
}

const (
	maxAddressSeconds = 300
	maxRequestSeconds = 86_400
)

// AddressLife is for how many more seconds the addresses of an address count, by its span, the seconds since the broker
// stored it and the seconds since its nonce was asked with (KEZ-SEQ-060, KEZ-SEQ-061).
func AddressLife(span, stored, asked int64) int64 {
	if asked > maxRequestSeconds {
		return 0
	}
	return max(0, min(maxAddressSeconds, span)-stored)
}
