package messages

import (
	"strings"
	"time"
)

const reminderPause = 24 * time.Hour

// Columns of the tables of names and chains (spec: messages.md, key changes).
const (
	NamesPinned = iota
	NamesOther
	NamesNobody
	keptName
)

const (
	Extends = iota
	FallsBehind
	Rotates
	Forks
	keptChain
)

var nameTable = map[string][4]string{
	"named":        {"named", "offered", "gone", "named"},
	"offered":      {"named", "offered", "gone", "offered_kept"},
	"offered_kept": {"named", "offered_kept", "gone_kept", "offered_kept"},
	"gone":         {"named", "offered", "gone", "gone_kept"},
	"gone_kept":    {"named", "offered_kept", "gone_kept", "gone_kept"},
}

var chainTable = map[string][5]string{
	"whole":        {"whole", "behind", "rotated", "forked", "whole"},
	"behind":       {"whole", "behind", "rotated", "forked", "behind_kept"},
	"behind_kept":  {"whole", "behind_kept", "rotated", "forked", "behind_kept"},
	"rotated":      {"rotated", "rotated", "rotated", "forked", "rotated_kept"},
	"rotated_kept": {"rotated_kept", "rotated_kept", "rotated_kept", "forked", "rotated_kept"},
	"forked":       {"forked", "forked", "forked", "forked", "forked_kept"},
	"forked_kept":  {"forked_kept", "forked", "rotated", "forked", "forked_kept"},
}

const accepted, blocked = "accepted", "blocked"

// Contact is what a client keeps of one; keys are primaries.
type Contact struct {
	Pinned, Relation, Name, Chain string
	// Verified is the user's word, which does not show while the contact is changed.
	Verified bool
	// Names is the key that the home names in place of the pinned one, RotatedTo that of a rotation; or empty.
	Names, RotatedTo string
	// NoticedAt is when the user last heard of the offered key; zero for never.
	NoticedAt time.Time
}

// Offered is a key, and whether the pinned key handed over to it. The zero value is no key.
type Offered struct{ Primary, Origin string }

func (c *Contact) hasRotated() bool { return strings.HasPrefix(c.Chain, "rotated") }

// Offered is the zero value where no key is.
func (c *Contact) Offered() Offered {
	key := ""
	if strings.HasPrefix(c.Name, "offered") {
		key = c.Names
	} else if c.hasRotated() {
		key = c.RotatedTo
	}
	switch {
	case key == "":
		return Offered{}
	case c.hasRotated() && key == c.RotatedTo:
		return Offered{key, "handed_over"}
	}
	return Offered{key, "unexplained"}
}

func isStop(state, whole string) bool { return state != whole && !strings.HasSuffix(state, "_kept") }

// Stops says whether one of the states stops sending.
func (c *Contact) Stops() bool { return isStop(c.Name, "named") || isStop(c.Chain, "whole") }

// Sends says whether messages go to the pinned key.
func (c *Contact) Sends() bool { return c.Relation == accepted && !c.Stops() }

// ShowsVerified says whether the contact is shown as verified.
func (c *Contact) ShowsVerified() bool { return c.Verified && c.Sends() }

// Number says whose safety number is to be compared: `pinned` or `offered`.
func (c *Contact) Number() string {
	if c.Stops() && c.Offered() != (Offered{}) {
		return "offered"
	}
	return "pinned"
}

// NameSeen moves the name by what the home answers; other is the key that it names besides the pinned one.
func (c *Contact) NameSeen(column int, other string, at time.Time) (notice string) {
	before := *c
	c.Name = nameTable[c.Name][column]
	c.Names = other
	heals := column == NamesPinned && before.Name != "named"
	return c.notice(before, heals, column == NamesOther, at)
}

// ChainSeen moves the chain by what is seen of it; successor is the key of a rotation.
func (c *Contact) ChainSeen(column int, successor string, at time.Time) (notice string) {
	before := *c
	c.Chain = chainTable[c.Chain][column]
	if column == Rotates && c.hasRotated() {
		c.RotatedTo = successor
	}
	if c.Chain == "rotated" || c.Chain == "forked" {
		c.Verified = false
	}
	heals := column == Extends && c.Chain == "whole" && before.Chain != "whole"
	return c.notice(before, heals, false, at)
}

// notice is the one thing that the user is told after an event, or empty.
func (c *Contact) notice(before Contact, heals, named bool, at time.Time) string {
	isOther := c.Name != before.Name || c.Chain != before.Chain || c.Offered() != before.Offered()
	switch {
	case c.Relation == blocked:
		return ""
	case c.Stops() && (!before.Stops() || isOther):
		return "changed"
	case c.Stops():
		return ""
	case heals:
		return "healed"
	case named && c.Name == "offered_kept" && at.Sub(c.NoticedAt) >= reminderPause:
		c.NoticedAt = at
		return "offered"
	}
	return ""
}

// Accept puts the offered key in the place of the pinned one; it says whether that is offered.
func (c *Contact) Accept(key string) bool {
	if offered := c.Offered(); key == "" || offered.Primary != key {
		return false
	}
	relation := accepted
	if c.Relation == blocked {
		relation = blocked
	}
	*c = Contact{Pinned: key, Relation: relation, Name: "named", Chain: "whole"}
	return true
}

// Confirm notes that the safety number of a key was compared; it says whether that proves anything.
func (c *Contact) Confirm(key string) bool {
	if key != c.Pinned || !c.Sends() {
		return false
	}
	c.Verified = true
	return true
}

// Keep goes on with the pinned key.
func (c *Contact) Keep(at time.Time) {
	if !c.Stops() {
		return
	}
	c.Name = nameTable[c.Name][keptName]
	c.Chain = chainTable[c.Chain][keptChain]
	c.NoticedAt = at
}
