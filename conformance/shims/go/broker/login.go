// Package broker has what travels beside sealed frames: logins, subjects, requests, pages and positions (spec: broker.md).
package broker

import (
	"regexp"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"kez-shim/keys"
	"kez-shim/problem"
)

const loginLabel = "kez/nats-auth/v1\x00"

var (
	brokerURLForm = regexp.MustCompile(`^(?i:nats|tls|wss?)://(.*)$`)
	nonceForm     = regexp.MustCompile(`^[A-Za-z0-9_-]{15}$`)
)

// Host is the host that a login names, of the URL that a client dials.
func Host(dialled string) (string, error) {
	match := brokerURLForm.FindStringSubmatch(dialled)
	if match == nil {
		return "", problem.LoginRefused
	}
	parsed, err := url.Parse("http://" + match[1])
	if err != nil || parsed.Username()+parsed.Password() != "" {
		return "", problem.LoginRefused
	}
	host := strings.TrimSuffix(parsed.Hostname(), ".")
	if host == "" || strings.HasSuffix(host, ".") {
		return "", problem.LoginRefused
	}
	return host, nil
}

// Login is the bytes that are signed for a host in its normal form, and their signature.
func Login(seed []byte, host, nonce string) (bytes, signature []byte, err error) {
	normal, err := Host("nats://" + host)
	if err != nil || normal != host || !nonceForm.MatchString(nonce) {
		return nil, nil, problem.LoginRefused
	}
	bytes = []byte(loginLabel + host + "\x00" + nonce)
	return bytes, keys.Sign(seed, bytes), nil
}
