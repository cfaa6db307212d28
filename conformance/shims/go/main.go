// A shim of the kez conformance suite: JSON lines on standard input and output.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"kez-shim/operations"
	"kez-shim/problem"
)

// maxLineBytes is twice the suite's limit of a line.
const maxLineBytes = 16 << 20

type request struct {
	Seq  int             `json:"seq"`
	Cmd  string          `json:"cmd"`
	Args json.RawMessage `json:"args"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLineBytes)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(err)
		}
		response := answer(asked)
		response["seq"] = asked.Seq
		if err := out.Encode(response); err != nil {
			fail(err)
		}
		if asked.Cmd == "stop" {
			return
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func start() any {
	return map[string]any{
		"protocol":       1,
		"implementation": map[string]string{"name": "kez-go", "version": "0.1.0", "language": "Go"},
		"profiles":       []string{"identity", "chat", "files"},
		"ops":            operations.Names(),
	}
}

// answer is the response to a request, without its seq.
func answer(asked request) (response map[string]any) {
	defer func() {
		if reason := recover(); reason != nil {
			response = internal(fmt.Sprint(reason), string(debug.Stack()))
		}
	}()
	switch asked.Cmd {
	case "start":
		return map[string]any{"ok": start()}
	case "stop":
		return map[string]any{"ok": struct{}{}}
	}
	operation, isKnown := operations.All[asked.Cmd]
	if !isKnown {
		return map[string]any{"unsupported": true}
	}
	args, err := decode(asked.Args)
	if err != nil {
		return internal(err.Error(), "")
	}
	result, err := operation(args)
	var refused problem.Code
	switch {
	case errors.As(err, &refused):
		return map[string]any{"error": map[string]string{"code": string(refused)}}
	case err != nil:
		return internal(err.Error(), "")
	}
	return map[string]any{"ok": result}
}

func internal(message, trace string) map[string]any {
	return map[string]any{"internal": map[string]string{"message": message, "trace": trace}}
}

// decode reads arguments, with integers as the other packages have them.
func decode(text json.RawMessage) (operations.Arguments, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var args map[string]any
	if err := decoder.Decode(&args); err != nil && err != io.EOF {
		return nil, err
	}
	return integers(args).(map[string]any), nil
}

func integers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if integer, err := value.Int64(); err == nil {
			return integer
		}
		return value
	case []any:
		for i, item := range value {
			value[i] = integers(item)
		}
	case map[string]any:
		for name, item := range value {
			value[name] = integers(item)
		}
	}
	return value
}
