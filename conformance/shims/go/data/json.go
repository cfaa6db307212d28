package data

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"kez-shim/problem"
)

// Object is a JSON object. Values are nil, bool, int64, string, []any or Object.
type Object = map[string]any

const (
	maxDepth   = 16
	maxInteger = 1<<53 - 1
)

// ParseJSON reads strict JSON of at most so many bytes.
func ParseJSON(text []byte, maxBytes int) (any, error) {
	if len(text) > maxBytes {
		return nil, problem.TooLarge
	}
	if !utf8.Valid(text) {
		return nil, problem.JSONMalformed
	}
	p := parser{text: string(text)}
	p.skipSpace()
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.skipSpace()
	if p.at != len(p.text) {
		return nil, problem.JSONMalformed
	}
	return value, nil
}

type parser struct {
	text string
	at   int
}

// peek is the next byte, or 0 at the end, which begins no token.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) take(token string) bool {
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) skipSpace() {
	for strings.IndexByte(" \t\n\r", p.peek()) >= 0 && p.at < len(p.text) {
		p.at++
	}
}

// value reads a value inside so many objects and arrays.
func (p *parser) value(depth int) (any, error) {
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		return p.string()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.take("true"):
		return true, nil
	case p.take("false"):
		return false, nil
	case p.take("null"):
		return nil, nil
	}
	return nil, problem.JSONMalformed
}

func (p *parser) object(depth int) (any, error) {
	object := Object{}
	err := p.items(depth, '}', func() error {
		if p.peek() != '"' {
			return problem.JSONMalformed
		}
		name, err := p.string()
		if err != nil {
			return err
		}
		if name == "__proto__" {
			return problem.JSONString
		}
		if _, isThere := object[name]; isThere {
			return problem.JSONDuplicateName
		}
		p.skipSpace()
		if !p.take(":") {
			return problem.JSONMalformed
		}
		p.skipSpace()
		object[name], err = p.value(depth)
		return err
	})
	return object, err
}

func (p *parser) array(depth int) (any, error) {
	array := []any{}
	err := p.items(depth, ']', func() error {
		value, err := p.value(depth)
		array = append(array, value)
		return err
	})
	return array, err
}

// items reads what stands between brackets, separated by commas.
func (p *parser) items(depth int, end byte, item func() error) error {
	if depth > maxDepth {
		return problem.JSONDepth
	}
	p.at++
	p.skipSpace()
	if p.take(string(end)) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		p.skipSpace()
		if p.take(string(end)) {
			return nil
		}
		if !p.take(",") {
			return problem.JSONMalformed
		}
		p.skipSpace()
	}
}

func (p *parser) digits() bool {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}

func (p *parser) number() (any, error) {
	start := p.at
	p.take("-")
	if !p.take("0") && !p.digits() {
		return nil, problem.JSONMalformed
	}
	integer := p.text[start:p.at]
	isInteger := integer != "-0"
	if p.take(".") {
		isInteger = false
		if !p.digits() {
			return nil, problem.JSONMalformed
		}
	}
	if p.take("e") || p.take("E") {
		isInteger = false
		if !p.take("+") {
			p.take("-")
		}
		if !p.digits() {
			return nil, problem.JSONMalformed
		}
	}
	value, err := strconv.ParseInt(integer, 10, 64)
	if !isInteger || err != nil || value > maxInteger || value < -maxInteger {
		return nil, problem.JSONNumber
	}
	return value, nil
}

const escapes = `"\/bfnrt`
const escaped = "\"\\/\b\f\n\r\t"

func (p *parser) string() (string, error) {
	var text strings.Builder
	for p.at++; ; {
		start := p.at
		for c := p.peek(); c >= ' ' && c != '"' && c != '\\'; c = p.peek() {
			p.at++
		}
		text.WriteString(p.text[start:p.at])
		if p.take(`"`) {
			return text.String(), nil
		}
		if !p.take(`\`) {
			return "", problem.JSONMalformed
		}
		if index := strings.IndexByte(escapes, p.peek()); index >= 0 {
			text.WriteByte(escaped[index])
			p.at++
			continue
		}
		unit, err := p.unit()
		if err != nil {
			return "", err
		}
		char := rune(unit)
		if utf16.IsSurrogate(char) {
			if !p.take(`\`) {
				return "", problem.JSONString
			}
			low, err := p.unit()
			if err != nil {
				return "", problem.JSONString
			}
			if char = utf16.DecodeRune(char, rune(low)); char == utf8.RuneError {
				return "", problem.JSONString
			}
		}
		text.WriteRune(char)
	}
}

// unit reads the rest of \u and four digits.
func (p *parser) unit() (uint64, error) {
	if !p.take("u") || len(p.text) < p.at+4 {
		return 0, problem.JSONMalformed
	}
	unit, err := strconv.ParseUint(p.text[p.at:p.at+4], 16, 16)
	if err != nil {
		return 0, problem.JSONMalformed
	}
	p.at += 4
	return unit, nil
}
