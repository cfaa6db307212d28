package statements

import (
	"slices"
	"strings"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/problem"
)

const maxURLCharacters = 512

// Schemes of the URLs of endpoints.
var (
	TCPSchemes       = []string{"nats", "tls"}
	WebSocketSchemes = []string{"ws", "wss"}
	HTTPSchemes      = []string{"http", "https"}
)

// URL reads a member that is a URL as endpoints have them: compared as text, and not parsed.
func URL(m *data.Members, name string, schemes []string) string {
	text := m.Text(name, 1, maxURLCharacters)
	m.Require(isURL(text, schemes))
	return text
}

func isURL(text string, schemes []string) bool {
	scheme, rest, hasRest := strings.Cut(text, "://")
	return hasRest && slices.Contains(schemes, scheme) && rest != "" && !strings.ContainsFunc(rest, data.IsSpace)
}

// readEndpoint refuses what is no endpoint of the account.
func readEndpoint(value any, owner identity.Primary, code problem.Code) (data.Object, error) {
	m := data.MembersOf(value, code)
	switch m.Text("protocol", 0, data.Unbounded) {
	case "nats":
		URL(m, "url", TCPSchemes)
		if m.Has("ws_url") {
			URL(m, "ws_url", WebSocketSchemes)
		}
		m.Require(m.Object["inbox"] == "kez.inbox."+owner.Hex())
	case "iroh":
		m.Require(m.Object["node_id"] == owner.Hex())
		if m.Has("relay_url") {
			URL(m, "relay_url", HTTPSchemes)
		}
	default:
		m.Require(false)
	}
	return m.Object, m.Err
}

// endpointName is what an endpoint is told from others by.
func endpointName(value any, code problem.Code) (string, error) {
	m := data.MembersOf(value, code)
	switch m.Text("protocol", 0, data.Unbounded) {
	case "nats":
		return "nats " + m.Text("url", 0, data.Unbounded), m.Err
	case "iroh":
		return "iroh " + m.Text("node_id", 0, data.Unbounded), m.Err
	}
	return "", code
}
