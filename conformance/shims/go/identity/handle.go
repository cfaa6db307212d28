package identity

import (
	"regexp"
	"strings"

	"kez-shim/problem"
)

var (
	localForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{2,31}$`)
	serverForm = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
	digitsForm = regexp.MustCompile(`^[0-9]+$`)
)

// Handle is a name on a home server.
type Handle struct{ Local, Server string }

func (h Handle) String() string { return h.Local + "@" + h.Server }

// IsLocal says whether a text is the local part of a handle.
func IsLocal(text string) bool { return localForm.MatchString(text) }

// IsServer says whether a text is the server part of a handle: a DNS name, and no address.
func IsServer(text string) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	return len(text) <= 253 && serverForm.MatchString(text) && !digitsForm.MatchString(last)
}

// isDomain says whether a text is a server of two labels or more.
func isDomain(text string) bool { return IsServer(text) && strings.Contains(text, ".") }

// ParseHandle reads a handle in full.
func ParseHandle(text string) (Handle, error) {
	local, server, _ := strings.Cut(text, "@")
	if !IsLocal(local) || !IsServer(server) {
		return Handle{}, problem.HandleMalformed
	}
	return Handle{local, server}, nil
}

// ParseMention reads what a person entered, whose home server is named.
func ParseMention(text, server string) (Handle, error) {
	text = strings.TrimPrefix(text, "@")
	if !strings.Contains(text, "@") {
		text += "@" + server
	}
	return ParseHandle(text)
}
