package broker

// What a client does with what it sees.
const (
	take    = "take"
	drop    = "drop"
	fetch   = "fetch"
	restart = "restart"
)

// Subjects of the stream that a client has a position in.
const (
	Inbox = "inbox"
	Self  = "self"
)

// Positions of a client in one stream, and which of its frames it holds.
type Positions struct {
	// Epoch is empty until the first page.
	Epoch string
	At    map[string]int64
	held  map[int64]bool
}

func NewPositions() *Positions {
	return &Positions{At: map[string]int64{Inbox: 0, Self: 0}, held: map[int64]bool{}}
}

// FetchAfter is the smaller position.
func (p *Positions) FetchAfter() int64 { return min(p.At[Inbox], p.At[Self]) }

// Live takes a live frame, whose predecessor on its subject is named.
func (p *Positions) Live(subject string, seq, previous int64) string {
	switch at := p.At[subject]; {
	case p.Epoch == "" || seq > at && previous > at || seq <= at && !p.held[seq]:
		return fetch
	case seq <= at:
		return drop
	}
	p.At[subject] = seq
	p.held[seq] = true
	return take
}

// forget begins another stream.
func (p *Positions) forget() {
	p.At = map[string]int64{Inbox: 0, Self: 0}
	p.held = map[int64]bool{}
}

// Page takes a page that was fetched after a number.
func (p *Positions) Page(epoch string, after, lastSeq int64, seqs []int64) string {
	if p.Epoch == epoch && after > lastSeq {
		p.forget()
		return restart
	}
	if p.Epoch != epoch {
		p.forget()
		p.Epoch = epoch
	}
	for _, seq := range seqs {
		p.held[seq] = true
		p.At[Inbox], p.At[Self] = max(p.At[Inbox], seq), max(p.At[Self], seq)
	}
	return take
}
