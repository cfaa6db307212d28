package statements

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"kez-shim/problem"
)

// Classes of addresses (spec: registration.md).
const (
	public    = "public"
	loopback  = "loopback"
	private   = "private"
	unusable  = "unusable"
	special   = "special"
	shared    = "shared"
	linkLocal = "link_local"
)

type block struct {
	prefix netip.Prefix
	class  string
}

func blocks(class string, prefixes ...string) []block {
	all := make([]block, len(prefixes))
	for i, prefix := range prefixes {
		all[i] = block{netip.MustParsePrefix(prefix), class}
	}
	return all
}

// classes of blocks, of which the first that holds an address counts; what no block holds is public.
var classes = slices.Concat(
	blocks(loopback, "127.0.0.0/8", "::1/128"),
	blocks(private, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10", "64:ff9b:1::/48"),
	blocks(shared, "100.64.0.0/10"),
	blocks(linkLocal, "169.254.0.0/16", "fe80::/10"),
	blocks(unusable, "0.0.0.0/8", "224.0.0.0/3", "::/96", "ff00::/8"),
	blocks(special, "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "2001::/23", "2001:db8::/32", "3fff::/20"),
	blocks(public, "0.0.0.0/0", "2000::/3"),
	blocks(special, "::/0"),
)

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// inner is the IPv4 address that an address holds, or the address itself.
func inner(address netip.Addr) netip.Addr {
	bytes := address.As16()
	switch {
	case address.Is4In6():
		return address.Unmap()
	case nat64.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return address
}

func classOf(address netip.Addr) string {
	address = inner(address)
	at := slices.IndexFunc(classes, func(b block) bool { return b.prefix.Contains(address) })
	return classes[at].class
}

// Suffixes of names that no public DNS holds.
var privateNames = []string{
	"local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa",
}

func isUnder(name, suffix string) bool { return name == suffix || strings.HasSuffix(name, "."+suffix) }

// CheckNamedHost is the class of a host that a home names, empty for a name whose addresses decide; the home itself was
// reached at an address of class `home`.
func CheckNamedHost(home, host string) (string, error) {
	parsed, err := url.Parse("http://" + host + "/")
	if err != nil {
		return "", problem.AddressForbidden
	}
	class := classOfHost(parsed.Hostname())
	isAllowed := class == "" || class == public || class == home || home == loopback
	if !isAllowed || class == unusable {
		return "", problem.AddressForbidden
	}
	return class, nil
}

func classOfHost(host string) string {
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return classOf(address)
	}
	name := strings.TrimSuffix(host, ".")
	switch {
	case isUnder(name, "localhost"):
		return loopback
	case !strings.Contains(name, "."), slices.ContainsFunc(privateNames, func(suffix string) bool { return isUnder(name, suffix) }):
		return private
	}
	return ""
}
