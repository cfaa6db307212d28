// Package operations has the operations of the conformance suite in terms of the other packages.
package operations

import (
	"encoding/hex"
	"fmt"

	"kez-shim/data"
	"kez-shim/identity"
)

// Arguments are the input of a case. The suite sends what each operation needs; anything else is a fault of the shim.
type Arguments data.Object

func argument[T any](args Arguments, name string) T {
	value, isOne := args[name].(T)
	if !isOne {
		panic(fmt.Sprintf("the argument %s is %T", name, args[name]))
	}
	return value
}

func (args Arguments) text(name string) string      { return argument[string](args, name) }
func (args Arguments) integer(name string) int64    { return argument[int64](args, name) }
func (args Arguments) list(name string) []any       { return argument[[]any](args, name) }
func (args Arguments) object(name string) Arguments { return argument[data.Object](args, name) }
func (args Arguments) hex(name string) []byte       { return must(hex.DecodeString(args.text(name))) }
func (args Arguments) base64(name string) []byte    { return must(data.DecodeBase64URL(args.text(name))) }
func (args Arguments) primary(name string) identity.Primary {
	return must(identity.ParseAccount(args.text(name)))
}

// optional is the empty text where there is none.
func (args Arguments) optional(name string) string {
	text, _ := args[name].(string)
	return text
}

func (args Arguments) texts(name string) []string {
	texts := []string{}
	for _, item := range args.list(name) {
		texts = append(texts, item.(string))
	}
	return texts
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
