package broker

import (
	"regexp"

	"kez-shim/data"
	"kez-shim/problem"
)

const (
	maxRequestBytes = 512
	randomBytes     = 16
)

var (
	boxForm = regexp.MustCompile(`^(?:inbox|self)$`)
	opForm  = regexp.MustCompile(`^(?:add|remove)$`)
	keyForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Request is one of fetch, trim or block, with the members that are defined.
type Request = data.Object

// read parses a request and adds what all have in common.
func read(bytes []byte, members func(*data.Members, Request)) (Request, error) {
	value, err := data.ParseJSON(bytes, maxRequestBytes)
	if err != nil {
		return nil, err
	}
	m := data.MembersOf(value, problem.RequestMalformed)
	request := Request{"n": m.Object["n"]}
	m.Bytes("n", randomBytes, randomBytes)
	members(m, request)
	return request, m.Err
}

// readEpoch takes the stream's epoch, where it is named.
func readEpoch(m *data.Members, request Request) {
	if m.Has("epoch") {
		m.Bytes("epoch", randomBytes, randomBytes)
		request["epoch"] = m.Object["epoch"]
	}
}

func ReadFetch(bytes []byte) (Request, error) {
	return read(bytes, func(m *data.Members, request Request) {
		request["after"] = m.Integer("after", 0, data.Unbounded)
		readEpoch(m, request)
	})
}

// ReadTrim leaves out an epoch beside no upTo, whose form counts all the same.
func ReadTrim(bytes []byte) (Request, error) {
	return read(bytes, func(m *data.Members, request Request) {
		request["box"] = m.Match("box", boxForm)
		readEpoch(m, request)
		if m.Has("upTo") {
			request["upTo"] = m.Integer("upTo", 1, data.Unbounded)
			m.Require(m.Has("epoch"))
		} else {
			delete(request, "epoch")
		}
	})
}

func ReadBlock(bytes []byte) (Request, error) {
	return read(bytes, func(m *data.Members, request Request) {
		request["op"] = m.Match("op", opForm)
		request["who"] = m.Match("who", keyForm)
	})
}

// Subjects of an account, by their names in the vectors.
func Subjects(hex string) map[string]any {
	return map[string]any{
		"inbox":        "kez.inbox." + hex,
		"self":         "kez.self." + hex,
		"delivery":     "kez.dlv." + hex,
		"fetch":        "kez.fetch." + hex,
		"trim":         "kez.trim." + hex,
		"block":        "kez.block." + hex,
		"reply_prefix": "_INBOX_" + hex,
	}
}
