package data

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Canonical is the JCS form (RFC 8785) of a value that ParseJSON can return.
func Canonical(value any) []byte {
	var out strings.Builder
	write(&out, value)
	return []byte(out.String())
}

func write(out *strings.Builder, value any) {
	switch value := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(value))
	case int64:
		out.WriteString(strconv.FormatInt(value, 10))
	case string:
		writeString(out, value)
	case []any:
		out.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, item)
		}
		out.WriteByte(']')
	case Object:
		writeObject(out, value)
	default:
		panic(fmt.Sprintf("not a JSON value: %T", value))
	}
}

// writeObject sorts names by their UTF-16 units, which differs from the order of their bytes beyond U+FFFF.
func writeObject(out *strings.Builder, object Object) {
	type member struct {
		name  string
		units []uint16
	}
	members := make([]member, 0, len(object))
	for name := range object {
		members = append(members, member{name, utf16.Encode([]rune(name))})
	}
	slices.SortFunc(members, func(a, b member) int { return slices.Compare(a.units, b.units) })
	out.WriteByte('{')
	for i, member := range members {
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, member.name)
		out.WriteByte(':')
		write(out, object[member.name])
	}
	out.WriteByte('}')
}

func writeString(out *strings.Builder, text string) {
	out.WriteByte('"')
	for _, char := range text {
		index := strings.IndexRune(escaped, char)
		switch {
		case index >= 0 && char != '/':
			out.WriteByte('\\')
			out.WriteByte(escapes[index])
		case char < ' ':
			fmt.Fprintf(out, `\u%04x`, char)
		default:
			out.WriteRune(char)
		}
	}
	out.WriteByte('"')
}
