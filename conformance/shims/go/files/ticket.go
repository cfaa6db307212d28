package files

import (
	"encoding/base32"
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/problem"
)

const (
	ticketPrefix  = "blob"
	maxRelayBytes = 512
	maxPort       = 65_535
)

var ticketEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Ticket says where a blob is.
type Ticket struct {
	Endpoint, Hash []byte
	// Relay is empty where there is none.
	Relay     string
	Addresses []netip.AddrPort
	// IsSequence is false for a raw blob.
	IsSequence bool
}

// ParseTicket reads a ticket in its one form.
func ParseTicket(text string) (*Ticket, error) {
	encoded, isTicket := strings.CutPrefix(text, ticketPrefix)
	bytes, err := ticketEncoding.DecodeString(encoded)
	if !isTicket || err != nil || ticketEncoding.EncodeToString(bytes) != encoded {
		return nil, problem.TicketMalformed
	}
	ticket, err := readTicket(&source{bytes, problem.TicketMalformed})
	if err != nil {
		return nil, err
	}
	_, err = keys.Admit(ticket.Endpoint)
	return ticket, err
}

// flag is one of two bytes.
func (s *source) flag() (bool, error) {
	b, err := s.byte()
	if err != nil || b > 1 {
		return false, s.code
	}
	return b == 1, nil
}

func readTicket(s *source) (*Ticket, error) {
	variant, err := s.byte()
	if err != nil || variant != 0 {
		return nil, s.code
	}
	ticket := &Ticket{Addresses: []netip.AddrPort{}}
	if ticket.Endpoint, err = s.take(hashBytes); err != nil {
		return nil, err
	}
	if ticket.Relay, err = s.relay(); err != nil {
		return nil, err
	}
	count, err := s.varint()
	if err != nil {
		return nil, err
	}
	for range count {
		address, err := s.address()
		if err != nil {
			return nil, err
		}
		if last := len(ticket.Addresses) - 1; last >= 0 && ticket.Addresses[last].Compare(address) >= 0 {
			return nil, s.code
		}
		ticket.Addresses = append(ticket.Addresses, address)
	}
	if ticket.IsSequence, err = s.flag(); err != nil {
		return nil, err
	}
	if ticket.Hash, err = s.take(hashBytes); err != nil || len(s.rest) > 0 {
		return nil, s.code
	}
	return ticket, nil
}

// relay is a URL in the normal form of the URL standard, or nothing.
func (s *source) relay() (string, error) {
	hasRelay, err := s.flag()
	if err != nil || !hasRelay {
		return "", err
	}
	length, err := s.varint()
	if err != nil || length > maxRelayBytes {
		return "", s.code
	}
	bytes, err := s.take(int(length))
	if err != nil {
		return "", err
	}
	parsed, err := url.Parse(string(bytes))
	if err != nil || parsed.Href(false) != string(bytes) || parsed.Scheme() != "http" && parsed.Scheme() != "https" {
		return "", s.code
	}
	return string(bytes), nil
}

func (s *source) address() (netip.AddrPort, error) {
	isSix, err := s.flag()
	if err != nil {
		return netip.AddrPort{}, err
	}
	length := 4
	if isSix {
		length = 16
	}
	bytes, err := s.take(length)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := s.varint()
	if err != nil || port > maxPort {
		return netip.AddrPort{}, s.code
	}
	address, _ := netip.AddrFromSlice(bytes)
	return netip.AddrPortFrom(address, uint16(port)), nil
}

// CheckShared refuses a ticket of an offer or entry that leads elsewhere than to its author's blob.
func CheckShared(text string, author identity.Primary, blobHash string) (*Ticket, error) {
	ticket, err := ParseTicket(text)
	if err != nil {
		return nil, err
	}
	isOwn := hex.EncodeToString(ticket.Endpoint) == author.Hex() && "blake3:"+hex.EncodeToString(ticket.Hash) == blobHash
	if !isOwn || ticket.IsSequence || len(ticket.Addresses) > 0 {
		return nil, problem.TicketMismatch
	}
	return ticket, nil
}
