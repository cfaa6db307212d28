package data

import (
	"regexp"
	"unicode/utf8"

	"kez-shim/problem"
)

// Unbounded is the greatest integer of strict JSON.
const Unbounded = maxInteger

// Hash forms of members.
var (
	SHA256Form = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	BLAKE3Form = regexp.MustCompile(`^blake3:[0-9a-f]{64}$`)
)

// Members reads the members of an object. Err is the first fault found: the structure's code for what is missing, of
// another type or out of bounds, and the code of a form for a text of a wrong form. Methods go on after a fault.
type Members struct {
	Object Object
	Err    error
	code   problem.Code
}

// MembersOf begins with the fault `code` where the value is no object.
func MembersOf(value any, code problem.Code) *Members {
	object, isObject := value.(Object)
	m := &Members{Object: object, code: code}
	m.Require(isObject)
	return m
}

// Check notes a fault, unless there was one before.
func (m *Members) Check(err error) {
	if m.Err == nil {
		m.Err = err
	}
}

// Require notes the structure's fault where the condition does not hold.
func (m *Members) Require(holds bool) {
	if !holds {
		m.Check(m.code)
	}
}

func (m *Members) Has(name string) bool {
	_, isThere := m.Object[name]
	return isThere
}

func member[T any](m *Members, name string) T {
	value, isOne := m.Object[name].(T)
	m.Require(isOne)
	return value
}

func within[N int | int64](m *Members, size, least, most N) { m.Require(size >= least && size <= most) }

// Text has a number of characters, which are code points, within bounds.
func (m *Members) Text(name string, least, most int) string {
	text := member[string](m, name)
	within(m, utf8.RuneCountInString(text), least, most)
	return text
}

func (m *Members) Match(name string, form *regexp.Regexp) string {
	text := member[string](m, name)
	m.Require(form.MatchString(text))
	return text
}

func (m *Members) Integer(name string, least, most int64) int64 {
	value := member[int64](m, name)
	within(m, value, least, most)
	return value
}

func (m *Members) Boolean(name string) bool { return member[bool](m, name) }

func (m *Members) List(name string, least, most int) []any {
	list := member[[]any](m, name)
	within(m, len(list), least, most)
	return list
}

// Bytes are base64url.
func (m *Members) Bytes(name string, least, most int) []byte {
	text := member[string](m, name)
	bytes, err := DecodeBase64URL(text)
	m.Check(err)
	within(m, len(bytes), least, most)
	return bytes
}

// Time is in milliseconds since 1970.
func (m *Members) Time(name string) int64 {
	text := member[string](m, name)
	if m.Err != nil {
		return 0
	}
	millis, err := ParseTime(text)
	m.Check(err)
	return millis
}

// Members are those of an inner object.
func (m *Members) Members(name string) *Members {
	inner := MembersOf(m.Object[name], m.code)
	m.Check(inner.Err)
	return inner
}
