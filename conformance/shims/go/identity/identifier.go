package identity

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nlnwa/whatwg-url/url"

	"kez-shim/problem"
)

const maxIdentifierCharacters = 512

var (
	systemForm  = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)
	githubForm  = regexp.MustCompile(`^[a-z0-9](?:-?[a-z0-9]){0,38}$`)
	apUserForm  = regexp.MustCompile(`^[a-z0-9_](?:[a-z0-9_.-]{0,62}[a-z0-9_])?$`)
	visibleForm = []*unicode.RangeTable{unicode.L, unicode.M, unicode.N, unicode.P, unicode.S}
)

// An id holds none of the categories C, of which Go has no table for what is unassigned, and Z.
func isVisible(char rune) bool { return unicode.In(char, visibleForm...) }

// named is an id of a system that is written with or without @, in any case.
func named(id string) string { return strings.Map(lowerASCII, strings.TrimPrefix(id, "@")) }

// normalForms of known systems; empty where the form is wrong.
var normalForms = map[string]func(id string) string{
	"github": func(id string) string {
		if name := named(id); githubForm.MatchString(name) {
			return "github:" + name
		}
		return ""
	},
	"dns": func(id string) string {
		if domain := strings.TrimSuffix(strings.Map(lowerASCII, id), "."); isDomain(domain) {
			return "dns:" + domain
		}
		return ""
	},
	"web": func(id string) string {
		if normal := webAddress(id); normal != "" {
			return "web:" + normal
		}
		return ""
	},
	"bluesky": func(id string) string {
		if domain := named(id); isDomain(domain) {
			return "bluesky:" + domain
		}
		return ""
	},
	"ap":       activityPub,
	"mastodon": activityPub,
	Nostr:      func(id string) string { return primary(Nostr + ":" + id) },
	Ed25519:    func(id string) string { return primary(Ed25519 + ":" + id) },
}

func activityPub(id string) string {
	user, domain, _ := strings.Cut(named(id), "@")
	if apUserForm.MatchString(user) && isDomain(domain) {
		return "ap:" + user + "@" + domain
	}
	return ""
}

func primary(text string) string {
	if _, err := ParsePrimary(text); err != nil {
		return ""
	}
	return text
}

func webAddress(id string) string {
	if !strings.HasPrefix(id, "https://") {
		id = "https://" + id
	}
	parsed, err := url.Parse(id)
	if err != nil || strings.ContainsAny(id, "?#") || parsed.Username()+parsed.Password() != "" || !isDomain(parsed.Hostname()) {
		return ""
	}
	return strings.TrimRight(parsed.Href(false), "/")
}

// ParseIdentifier yields the normal form of an identifier.
func ParseIdentifier(text string) (string, error) {
	system, id, _ := strings.Cut(text, ":")
	isHidden := func(char rune) bool { return !isVisible(char) }
	if utf8.RuneCountInString(text) > maxIdentifierCharacters || !systemForm.MatchString(system) || id == "" ||
		strings.ContainsFunc(id, isHidden) {
		return "", problem.IdentifierMalformed
	}
	normalise, isKnown := normalForms[system]
	if !isKnown {
		return text, nil
	}
	if normal := normalise(id); normal != "" {
		return normal, nil
	}
	return "", problem.IdentifierMalformed
}
