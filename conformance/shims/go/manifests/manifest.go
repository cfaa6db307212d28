package manifests

import (
	"bytes"
	"encoding/hex"
	"errors"

	"lukechampine.com/blake3"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/problem"
	"kez-shim/statements"
)

const maxManifestBytes = 1_048_576

// Anchor is what an owner's chain names. Revision is nil in old events.
type Anchor struct {
	Hash     string
	Size     int64
	Revision *int64
}

// Known is the highest revision that a reader has seen.
type Known struct {
	Revision int64
	Hash     string
}

// Reading is a manifest and what its reader knows; Anchor and Known can be nil.
type Reading struct {
	Seed   []byte
	Owner  identity.Primary
	Body   []byte
	Anchor *Anchor
	Known  *Known
}

// File that a reader sees.
type File struct {
	ID, Name string
	IsPublic bool
}

// Broken entry, and why.
type Broken struct {
	ID   string
	Code problem.Code
}

// Manifest is what a reader sees of one.
type Manifest struct {
	Revision int64
	Files    []File
	Broken   []Broken
}

// form is a manifest whose form is right.
type form struct {
	envelope *statements.Envelope
	hash     string
	revision int64
	// anchored is empty where the member is absent.
	anchored string
	entries  []entry
}

// Read takes a manifest through the steps of its reader.
func Read(r Reading) (*Manifest, error) {
	manifest, err := readForm(r.Body)
	if err != nil {
		return nil, err
	}
	if err := manifest.envelope.Verify(); err != nil {
		return nil, err
	}
	if manifest.envelope.Signer.Text != r.Owner.Text || !manifest.isCurrent(r.Anchor, int64(len(r.Body))) {
		return nil, problem.ManifestMismatch
	}
	if known := r.Known; known != nil && manifest.revision < known.Revision {
		return nil, problem.ManifestRollback
	} else if known != nil && manifest.revision == known.Revision && manifest.hash != known.Hash {
		return nil, problem.ManifestConflict
	}
	return manifest.show(r)
}

func readForm(body []byte) (*form, error) {
	value, err := data.ParseJSON(body, maxManifestBytes)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(data.Canonical(value), body) {
		return nil, problem.ManifestMalformed
	}
	envelope, err := statements.FromValue(value)
	if err != nil {
		return nil, err
	}
	if err := envelope.Expect(statements.SharedFiles); err != nil {
		return nil, err
	}
	digest := blake3.Sum256(body)
	m := data.MembersOf(envelope.Payload, problem.ManifestMalformed)
	manifest := &form{
		envelope: envelope,
		hash:     "blake3:" + hex.EncodeToString(digest[:]),
		revision: m.Integer("revision", 0, data.Unbounded),
	}
	identity.Account(m, "primary")
	m.Time("created_at")
	if m.Has("anchored") {
		manifest.anchored = m.Match("anchored", data.BLAKE3Form)
	}
	seen := map[string]bool{}
	for _, item := range m.List("entries", 0, data.Unbounded) {
		entry, err := readEntry(item)
		m.Check(err)
		m.Require(!seen[entry.idText])
		seen[entry.idText] = true
		manifest.entries = append(manifest.entries, entry)
	}
	return manifest, m.Err
}

// isCurrent says whether the manifest is the anchor or follows it.
func (f *form) isCurrent(anchor *Anchor, size int64) bool {
	switch {
	case anchor == nil:
		return f.anchored == ""
	case f.hash == anchor.Hash:
		return size == anchor.Size && (anchor.Revision == nil || f.revision == *anchor.Revision)
	}
	return f.anchored == anchor.Hash && (anchor.Revision == nil || f.revision > *anchor.Revision)
}

// show opens what the reader can open.
func (f *form) show(r Reading) (*Manifest, error) {
	reader := identity.PrimaryOf(keys.PublicKey(r.Seed))
	shown := &Manifest{f.revision, []File{}, []Broken{}}
	for _, entry := range f.entries {
		file, isReader, err := entry.open(r.Seed, r.Owner, reader)
		if err == nil && !isReader {
			continue
		}
		var name string
		if err == nil {
			name, err = nameOf(file, r.Owner)
		}
		var code problem.Code
		switch {
		case errors.As(err, &code):
			shown.Broken = append(shown.Broken, Broken{entry.idText, code})
		case err != nil:
			return nil, err
		default:
			shown.Files = append(shown.Files, File{entry.idText, name, entry.public != nil})
		}
	}
	return shown, nil
}
