package broker

import (
	"bytes"
	"encoding/binary"

	"kez-shim/data"
	"kez-shim/problem"
)

const (
	pageVersion   = 1
	headBytes     = 79
	frameHead     = 20
	maxFrames     = 512
	maxFrameBytes = 65_536
)

// Page of an inbox.
type Page struct {
	Epoch            []byte
	LastSeq, Pending uint64
	Frames           []Frame
}

// Frame as it was stored.
type Frame struct {
	Seq, TimeMillis uint64
	Bytes           []byte
}

// DecodePage reads the answer to a fetch of an account under a nonce.
func DecodePage(page, account, nonce []byte) (Page, error) {
	if len(page) < headBytes || page[0] != pageVersion || !bytes.Equal(page[17:49], account) || !bytes.Equal(page[49:65], nonce) {
		return Page{}, problem.PageMalformed
	}
	decoded := Page{
		Epoch:   page[1:17],
		LastSeq: binary.BigEndian.Uint64(page[65:]),
		Pending: uint64(binary.BigEndian.Uint32(page[73:])),
		Frames:  []Frame{},
	}
	count := binary.BigEndian.Uint16(page[77:])
	if count > maxFrames || decoded.LastSeq > data.Unbounded {
		return Page{}, problem.PageMalformed
	}
	rest, before := page[headBytes:], uint64(0)
	for range count {
		if len(rest) < frameHead {
			return Page{}, problem.PageMalformed
		}
		seq, millis := binary.BigEndian.Uint64(rest), binary.BigEndian.Uint64(rest[8:])
		length := int64(binary.BigEndian.Uint32(rest[16:]))
		rest = rest[frameHead:]
		if seq <= before || seq > decoded.LastSeq || millis > data.Unbounded ||
			length < 1 || length > maxFrameBytes || length > int64(len(rest)) {
			return Page{}, problem.PageMalformed
		}
		decoded.Frames = append(decoded.Frames, Frame{seq, millis, rest[:length]})
		rest, before = rest[length:], seq
	}
	if len(rest) > 0 {
		return Page{}, problem.PageMalformed
	}
	return decoded, nil
}
