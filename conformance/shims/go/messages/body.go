package messages

import (
	"bytes"
	"net/netip"
	"regexp"

	"kez-shim/data"
	"kez-shim/files"
	"kez-shim/identity"
	"kez-shim/problem"
	"kez-shim/statements"
)

const (
	maxReceiptIDs = 128
	maxAddresses  = 32
	maxBlocked    = 256
)

var (
	statusForm  = regexp.MustCompile(`^(?:delivered|read)$`)
	addressForm = regexp.MustCompile(`:[0-9]{1,5}$`)
)

// members reads the further members of each type that is known.
var members = map[string]func(*data.Members, identity.Primary){
	"text": func(m *data.Members, _ identity.Primary) { m.Text("text", 1, data.Unbounded) },
	"receipt": func(m *data.Members, _ identity.Primary) {
		m.Match("status", statusForm)
		for _, id := range m.List("ids", 1, maxReceiptIDs) {
			isID(m, id)
		}
	},
	"file_share":      files.ReadOffer,
	"address_request": func(m *data.Members, _ identity.Primary) { m.Bytes("nonce", idBytes, idBytes) },
	"address": func(m *data.Members, _ identity.Primary) {
		m.Bytes("nonce", idBytes, idBytes)
		for _, address := range m.List("addrs", 0, maxAddresses) {
			text, _ := address.(string)
			_, err := netip.ParseAddrPort(text)
			m.Require(err == nil && addressForm.MatchString(text))
		}
		if m.Has("relay_url") {
			statements.URL(m, "relay_url", statements.HTTPSchemes)
		}
		m.Time("expires_at")
	},
	"block_list": func(m *data.Members, _ identity.Primary) {
		for _, item := range m.List("entries", 1, maxBlocked) {
			entry := data.MembersOf(item, problem.MessageMalformed)
			entry.Match("who", identity.PrimaryForm)
			entry.Boolean("blocked")
			entry.Integer("rev", 1, data.Unbounded)
			m.Check(entry.Err)
		}
	},
	"introduction": func(m *data.Members, _ identity.Primary) {
		_, err := identity.ParseAccount(m.Text("primary", 1, data.Unbounded))
		m.Require(err == nil)
		if m.Has("handle") {
			_, err := identity.ParseHandle(m.Text("handle", 1, data.Unbounded))
			m.Require(err == nil)
		}
		m.Require(!m.Has("withdrawn") || m.Boolean("withdrawn"))
	},
	"device_position": func(m *data.Members, _ identity.Primary) {
		m.Bytes("epoch", idBytes, idBytes)
		m.Integer("up_to", 0, data.Unbounded)
	},
}

func isID(m *data.Members, value any) {
	text, _ := value.(string)
	id, err := data.DecodeBase64URL(text)
	m.Require(err == nil && len(id) == idBytes)
}

// readBody reads a body of an author.
func readBody(text []byte, author identity.Primary) (data.Object, error) {
	value, err := data.ParseJSON(text, maxBodyBytes)
	if err != nil {
		return nil, err
	}
	m := data.MembersOf(value, problem.MessageMalformed)
	m.Require(bytes.Equal(data.Canonical(value), text))
	kind, chain := m.Text("type", 1, 64), m.Members("chain")
	chain.Integer("seq", 0, data.Unbounded)
	chain.Match("hash", data.SHA256Form)
	m.Check(chain.Err)
	if m.Has("fallback") {
		m.Text("fallback", 0, data.Unbounded)
	}
	if further, isKnown := members[kind]; isKnown {
		further(m, author)
	}
	return m.Object, m.Err
}
