package statements

import (
	"slices"
	"strings"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/problem"
)

const (
	maxChainBytes    = 4_194_304
	reservedBytes    = 262_144
	maxManifestBytes = 1_048_576
)

// Head is that of a chain.
type Head struct {
	Seq  int64
	Hash string
}

// Linked is a claim of a chain, as it was written.
type Linked struct {
	Subject string
	Seq     int64
	Revoked bool
	normal  string
}

// Chain is the state of a verified sigchain.
type Chain struct {
	Head      Head
	Endpoints []data.Object
	Claims    []*Linked
	// Ignored events, by their numbers.
	Ignored []int64
	// SharedFiles is the newest anchor, or nil.
	SharedFiles data.Object
	// RotatedTo is empty where the chain goes on.
	RotatedTo string

	owner identity.Primary
	bytes int
	ended bool
	names []string
}

// event is one whose form is right.
type event struct {
	*data.Members
	envelope *Envelope
	seq      int64
	op       string
	payload  *data.Members
}

// VerifyChain verifies the events of a primary in order.
func VerifyChain(primary string, values []any) (*Chain, error) {
	owner, err := identity.ParseAccount(primary)
	if err != nil {
		return nil, err
	}
	chain := &Chain{Head: Head{Seq: -1}, Endpoints: []data.Object{}, Claims: []*Linked{}, Ignored: []int64{}, owner: owner}
	for _, value := range values {
		event, err := chain.read(value)
		if err != nil {
			return nil, err
		}
		if err := chain.append(event); err != nil {
			return nil, err
		}
	}
	return chain, nil
}

// read checks what an event is by itself.
func (c *Chain) read(value any) (*event, error) {
	envelope, err := FromValue(value)
	if err != nil {
		return nil, err
	}
	if err := envelope.Expect(Event); err != nil {
		return nil, err
	}
	m := data.MembersOf(envelope.Payload, problem.EventMalformed)
	m.Require(envelope.Signer.Text == c.owner.Text)
	seq := m.Integer("seq", 0, data.Unbounded)
	m.Time("created_at")
	op, payload := m.Text("op", 1, 64), m.Members("payload")
	m.Require(m.Has("prev") == (seq > 0))
	if m.Has("prev") {
		m.Match("prev", data.SHA256Form)
	}
	m.Check(checkOperation(op, payload, c.owner))
	if m.Err != nil {
		return nil, m.Err
	}
	return &event{m, envelope, seq, op, payload}, envelope.Verify()
}

// checkOperation checks the members of an operation.
func checkOperation(op string, payload *data.Members, owner identity.Primary) error {
	switch op {
	case "add_endpoint":
		_, err := readEndpoint(payload.Object, owner, problem.EventMalformed)
		payload.Check(err)
	case "remove_endpoint":
		_, err := endpointName(payload.Object, problem.EventMalformed)
		payload.Check(err)
	case "set_shared_files":
		payload.Match("manifest", data.BLAKE3Form)
		payload.Integer("size", 1, maxManifestBytes)
		if payload.Has("revision") {
			payload.Integer("revision", 0, data.Unbounded)
		}
	case "rotate":
		payload.Match("new_sig", signatureForm)
		next := payload.Text("new_primary", 0, data.Unbounded)
		payload.Require(next != owner.Text)
		if payload.Err == nil {
			_, err := identity.ParsePrimary(next)
			payload.Check(err)
		}
	}
	return payload.Err
}

// append checks what an event is in its chain, and takes its effect.
func (c *Chain) append(e *event) error {
	if c.ended {
		return problem.ChainTerminated
	}
	if e.seq != c.Head.Seq+1 || e.seq > 0 && e.Object["prev"] != c.Head.Hash {
		return problem.ChainConflict
	}
	c.bytes += len(data.Canonical(e.envelope.Value())) + 1
	isLast := e.op == "rotate" || e.op == "revoke" || strings.HasPrefix(e.op, "remove_")
	if c.bytes > maxChainBytes || c.bytes > maxChainBytes-reservedBytes && !isLast {
		return problem.ChainFull
	}
	if err := c.apply(e); err != nil {
		return err
	}
	c.Head = Head{e.seq, e.envelope.Hash()}
	return nil
}

func (c *Chain) apply(e *event) error {
	payload := e.payload.Object
	switch e.op {
	case "add", "revoke":
		c.link(e)
	case "add_endpoint", "remove_endpoint":
		name, err := endpointName(payload, problem.EventMalformed)
		if err != nil {
			return err
		}
		if at := slices.Index(c.names, name); at >= 0 {
			c.names = slices.Delete(c.names, at, at+1)
			c.Endpoints = slices.Delete(c.Endpoints, at, at+1)
		}
		if e.op == "add_endpoint" {
			c.names = append(c.names, name)
			c.Endpoints = append(c.Endpoints, payload)
		}
	case "set_shared_files":
		c.SharedFiles = only(payload, "manifest", "size", "revision")
	case "rotate":
		return c.rotate(e)
	case "add_device":
	default:
		c.Ignored = append(c.Ignored, e.seq)
	}
	return nil
}

// only has the members of an object that have one of the names.
func only(object data.Object, names ...string) data.Object {
	chosen := data.Object{}
	for _, name := range names {
		if value, isThere := object[name]; isThere {
			chosen[name] = value
		}
	}
	return chosen
}

// link adds or revokes a claim.
func (c *Chain) link(e *event) {
	subject, isText := e.payload.Object["subject"].(string)
	normal, err := identity.ParseIdentifier(subject)
	if err != nil {
		normal = subject
	}
	at := slices.IndexFunc(c.Claims, func(claim *Linked) bool { return claim.normal == normal })
	switch {
	case !isText || at < 0 && e.op == "revoke":
		c.Ignored = append(c.Ignored, e.seq)
	case e.op == "revoke":
		c.Claims[at].Revoked = true
	case at < 0:
		c.Claims = append(c.Claims, &Linked{subject, e.seq, false, normal})
	default:
		*c.Claims[at] = Linked{subject, e.seq, false, normal}
	}
}

// rotate verifies that the new key consents.
func (c *Chain) rotate(e *event) error {
	next, err := identity.ParsePrimary(e.payload.Text("new_primary", 0, data.Unbounded))
	if err != nil {
		return err
	}
	acceptance := only(e.Object, "seq", "prev", "created_at")
	acceptance["type"], acceptance["version"] = "kez.rotation_acceptance", int64(1)
	acceptance["old"], acceptance["new"] = c.owner.Text, next.Text
	c.RotatedTo, c.ended = next.Text, true
	return verify(next, acceptance, e.payload.Text("new_sig", 0, data.Unbounded))
}

// CompareHeads says what a verified chain is to a client that kept a head, or none.
func CompareHeads(kept *Head, hashes []string) (string, error) {
	switch {
	case kept == nil:
		return "new", nil
	case len(hashes) == 0:
		return "unavailable", nil
	case int64(len(hashes)) <= kept.Seq:
		return "", problem.ChainRollback
	case hashes[kept.Seq] != kept.Hash:
		return "", problem.ChainFork
	case int64(len(hashes)) == kept.Seq+1:
		return "same", nil
	}
	return "extended", nil
}
