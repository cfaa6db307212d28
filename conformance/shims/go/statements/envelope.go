// Package statements has signed statements: envelopes, proofs, sigchains and registrations (spec: envelope.md,
// sigchain.md, registration.md).
package statements

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"regexp"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/problem"
)

// Kinds of envelopes.
const (
	Claim        = "claim"
	Event        = "sigchain_event"
	Registration = "handle_registration"
	Deletion     = "handle_deletion"
	Transfer     = "handle_transfer"
	Message      = "chat_message"
	SharedFiles  = "shared_files"
)

// MaxEnvelopeBytes bounds the JCS form of all but SharedFiles.
const MaxEnvelopeBytes = 65_536

const (
	ed25519Algorithm = "ed25519-sha512-jcs"
	nostrAlgorithm   = "nostr-secp256k1-schnorr-sha256-jcs"
)

var (
	algorithms    = map[string]string{identity.Ed25519: ed25519Algorithm, identity.Nostr: nostrAlgorithm}
	signatureForm = regexp.MustCompile(`^[0-9a-f]{128}$`)
	types         = map[string]string{
		Claim:        "kez.claim",
		Event:        "kez.sigchain.event",
		Registration: "kez.chat.handle_registration",
		Deletion:     "kez.chat.handle_deletion",
		Transfer:     "kez.chat.handle_transfer",
		Message:      "kez.chat.message",
		SharedFiles:  "kez.chat.shared_files",
	}
)

// Envelope is a signed statement of a known kind whose form is right. Its signature may be wrong.
type Envelope struct {
	Kind    string
	Payload data.Object
	Signer  identity.Primary
	value   data.Object
	sig     string
}

// Parse reads the text of an envelope.
func Parse(text []byte, maxBytes int) (*Envelope, error) {
	value, err := data.ParseJSON(text, maxBytes)
	if err != nil {
		return nil, err
	}
	return FromValue(value)
}

// FromValue reads an envelope that is parsed JSON.
func FromValue(value any) (*Envelope, error) {
	m := data.MembersOf(value, problem.EnvelopeMalformed)
	kind, payload := m.Text("kez", 0, data.Unbounded), m.Members("payload")
	signature := m.Members("signature")
	m.Require(len(m.Object) == 3 && len(signature.Object) == 3)
	algorithm := signature.Text("alg", 0, data.Unbounded)
	key := signature.Text("key", 0, data.Unbounded)
	sig := signature.Match("sig", signatureForm)
	m.Check(signature.Err)
	if m.Err != nil {
		return nil, m.Err
	}
	if algorithm != ed25519Algorithm && algorithm != nostrAlgorithm {
		return nil, problem.AlgorithmUnsupported
	}
	signer, err := identity.ParsePrimary(key)
	if err != nil {
		return nil, err
	}
	if algorithms[signer.System] != algorithm {
		return nil, problem.AlgorithmUnsupported
	}
	if kind != SharedFiles && len(data.Canonical(value)) > MaxEnvelopeBytes {
		return nil, problem.TooLarge
	}
	envelope := &Envelope{kind, payload.Object, signer, m.Object, sig}
	if !envelope.isOfItsKind() {
		return nil, problem.EnvelopeKind
	}
	return envelope, nil
}

// isOfItsKind says whether kind, type, version and signer agree.
func (e *Envelope) isOfItsKind() bool {
	signerMember := "primary"
	if e.Kind == Message {
		signerMember = "from"
	}
	kind, isKnown := types[e.Kind]
	return isKnown && e.Payload["type"] == kind && e.Payload["version"] == int64(1) &&
		e.Payload[signerMember] == e.Signer.Text
}

// Expect refuses an envelope of another kind.
func (e *Envelope) Expect(kind string) error {
	if e.Kind != kind {
		return problem.EnvelopeKind
	}
	return nil
}

// Verify verifies the signature.
func (e *Envelope) Verify() error { return verify(e.Signer, e.Payload, e.sig) }

// verify verifies a signature over the JCS form of a payload.
func verify(signer identity.Primary, payload data.Object, sig string) error {
	signature, err := data.DecodeHex(sig)
	if err != nil {
		return err
	}
	signed := data.Canonical(payload)
	if signer.System == identity.Nostr {
		digest := sha256.Sum256(signed)
		return keys.VerifyNostr(signer.Key, digest[:], signature)
	}
	digest := sha512.Sum512(signed)
	return keys.Verify(signer.Key, digest[:], signature)
}

// Sign makes the envelope of a payload whose signer is the account of a seed.
func Sign(kind string, payload data.Object, seed []byte) *Envelope {
	digest := sha512.Sum512(data.Canonical(payload))
	sig := hex.EncodeToString(keys.Sign(seed, digest[:]))
	signer := identity.PrimaryOf(keys.PublicKey(seed))
	return wrap(kind, payload, signer, sig)
}

// SignChecked is the signature of a statement that came from outside; one that no reader would take is refused.
func SignChecked(kind string, payload data.Object, seed []byte) (any, error) {
	envelope := Sign(kind, payload, seed)
	if !envelope.isOfItsKind() {
		return nil, problem.EnvelopeKind
	}
	var err error
	switch kind {
	case Claim:
		_, err = ReadClaim(envelope)
	case Registration:
		_, err = readRegistration(envelope)
	}
	return envelope.value["signature"], err
}

func wrap(kind string, payload data.Object, signer identity.Primary, sig string) *Envelope {
	value := data.Object{
		"kez":     kind,
		"payload": payload,
		"signature": data.Object{
			"alg": algorithms[signer.System],
			"key": signer.Text,
			"sig": sig,
		},
	}
	return &Envelope{kind, payload, signer, value, sig}
}

// Value is the envelope as JSON.
func (e *Envelope) Value() data.Object { return e.value }

// Hash is that of the whole envelope, signature included.
func (e *Envelope) Hash() string {
	digest := sha256.Sum256(data.Canonical(e.value))
	return "sha256:" + hex.EncodeToString(digest[:])
}
