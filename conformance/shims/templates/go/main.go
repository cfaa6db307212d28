// A shim for kez-conformance: fill operations with calls of your implementation. Needs Go 1.21, no modules.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
)

// Refused says that the input is not acceptable; Code is one of the specification's codes.
type Refused struct{ Code, Message string }

func (r Refused) Error() string { return r.Message }

var pairs = regexp.MustCompile(`^([0-9a-f]{2})*$`)

func hexDecode(args map[string]any) (any, error) {
	text, _ := args["text"].(string)
	if !pairs.MatchString(text) {
		return nil, Refused{"encoding_malformed", "lower-case digits in pairs"}
	}
	bytes, err := hex.DecodeString(text)
	return base64.RawURLEncoding.EncodeToString(bytes), err
}

// Each takes the input of a vector and returns its result: kez-conformance list --operations
var operations = map[string]func(map[string]any) (any, error){"hex.decode": hexDecode}

func answer(cmd string, args map[string]any) map[string]any {
	switch {
	case cmd == "stop":
		return map[string]any{"ok": struct{}{}}
	case cmd == "start":
		ops := []string{}
		for name := range operations {
			ops = append(ops, name)
		}
		return map[string]any{"ok": map[string]any{"protocol": 1, "profiles": []string{"identity"}, "ops": ops,
			"implementation": map[string]string{"name": "my-kez", "version": "0.1.0", "language": "Go"}}}
	case operations[cmd] == nil:
		return map[string]any{"unsupported": true}
	}
	result, err := operations[cmd](args)
	var refused Refused
	if errors.As(err, &refused) {
		return map[string]any{"error": map[string]string{"code": refused.Code, "message": refused.Message}}
	} else if err != nil {
		return map[string]any{"internal": map[string]string{"message": err.Error()}}
	}
	return map[string]any{"ok": result}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var request struct {
			Seq  int            `json:"seq"`
			Cmd  string         `json:"cmd"`
			Args map[string]any `json:"args"`
		}
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		response := answer(request.Cmd, request.Args)
		response["seq"] = request.Seq
		line, _ := json.Marshal(response)
		fmt.Println(string(line))
		if request.Cmd == "stop" {
			return
		}
	}
}
