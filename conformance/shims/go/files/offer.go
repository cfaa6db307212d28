package files

import (
	"strings"

	"kez-shim/data"
	"kez-shim/identity"
)

const (
	wrappedBytes        = 80
	maxNameCharacters   = 255
	maxTicketCharacters = 1024
	maxThumbnailBytes   = 8192
)

// IsPathPart says whether a text can stand between the slashes of a path.
func IsPathPart(text string) bool {
	isForbidden := func(char rune) bool { return char < ' ' || char == 0x7f || char == '/' || char == '\\' }
	return text != "" && text != "." && text != ".." && !strings.ContainsFunc(text, isForbidden)
}

// Name reads a member that is the name of a file.
func Name(m *data.Members, name string) string {
	text := m.Text(name, 1, maxNameCharacters)
	m.Require(IsPathPart(text))
	return text
}

// ReadFile reads what offers and entries have in common, and leaves the ticket to its caller.
func ReadFile(m *data.Members) {
	m.Text("media_type", 1, 127)
	m.Integer("size", 0, data.Unbounded)
	m.Match("blob_hash", data.BLAKE3Form)
	m.Text("ticket", 1, maxTicketCharacters)
}

// CheckTicket compares the ticket of a file with its author and blob.
func CheckTicket(m *data.Members, author identity.Primary) {
	if m.Err != nil {
		return
	}
	_, err := CheckShared(m.Text("ticket", 0, data.Unbounded), author, m.Text("blob_hash", 0, data.Unbounded))
	m.Check(err)
}

// ReadOffer reads the members of a `file_share`.
func ReadOffer(m *data.Members, author identity.Primary) {
	Name(m, "filename")
	ReadFile(m)
	m.Bytes("wrapped_content_key", wrappedBytes, wrappedBytes)
	m.Bytes("self_wrapped_content_key", wrappedBytes, wrappedBytes)
	if m.Has("thumbnail") {
		m.Bytes("thumbnail", 1, maxThumbnailBytes)
	}
	CheckTicket(m, author)
}
