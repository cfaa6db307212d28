// Package manifests has the lists of files that accounts share (spec: manifest.md).
package manifests

import (
	"bytes"
	"slices"
	"strings"

	"kez-shim/data"
	"kez-shim/files"
	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/messages"
	"kez-shim/problem"
)

const (
	keyLabel   = "kez.manifest.key/1"
	hintLabel  = "kez.manifest.hint/1\x00"
	entryLabel = "kez.manifest.entry/1\x00"
	idBytes    = 16
	hintBytes  = 2
	encBytes   = 32
	ctBytes    = 48
	saltBytes  = 32
	maxReaders = 1024
	// A salt and the sealed form of a file, padded, with its tag.
	minSealedBytes = 84
	maxSealedBytes = 41_012
	maxFileBytes   = 40_960
	keyBytes       = 32
	maxThumbnail   = 8192
	maxFolder      = 1024
	maxParts       = 16
)

// context binds an entry to its manifest's owner and its id.
func context(owner identity.Primary, id []byte) []byte { return slices.Concat(owner.Key, id) }

// Hint by which a reader finds its key; one of the two accounts is that of the seed.
func Hint(seed []byte, owner, reader identity.Primary, id []byte) ([]byte, error) {
	peer := owner
	if bytes.Equal(keys.PublicKey(seed), owner.Key) {
		peer = reader
	}
	secret, err := keys.AgreeAccounts(seed, peer.Key)
	if err != nil {
		return nil, err
	}
	return keys.Derive(secret, id, hintLabel+string(owner.Key)+string(reader.Key), hintBytes), nil
}

// cipher is key and nonce of the sealed part.
func cipher(key, salt, context []byte) (entryKey, nonce []byte) {
	okm := keys.Derive(key, salt, entryLabel+string(context), 44)
	return okm[:32], okm[32:]
}

// Sealing is what an owner seals an entry with; key, salt and ephemerals are random outside vectors.
type Sealing struct {
	Seed, ID, Key, Salt []byte
	Readers             []identity.Primary
	Ephemerals          [][]byte
}

// Seal makes the entry of a file. Its keys are in the order of their enc, whoever reads.
func Seal(s Sealing, file data.Object) (data.Object, error) {
	owner := identity.PrimaryOf(keys.PublicKey(s.Seed))
	ctx := context(owner, s.ID)
	type readerKey struct{ hint, enc, ct []byte }
	all := []readerKey{}
	for i, reader := range s.Readers {
		hint, err := Hint(s.Seed, owner, reader, s.ID)
		if err != nil {
			return nil, err
		}
		sealed, err := keys.Seal(reader.Key, s.Ephemerals[i], keyLabel, slices.Concat(ctx, reader.Key), s.Key)
		if err != nil {
			return nil, err
		}
		all = append(all, readerKey{hint, sealed.Enc, sealed.Ciphertext})
	}
	slices.SortFunc(all, func(a, b readerKey) int { return bytes.Compare(a.enc, b.enc) })
	entries := []any{}
	for _, key := range all {
		entries = append(entries, data.Object{
			"hint": data.EncodeBase64URL(key.hint),
			"enc":  data.EncodeBase64URL(key.enc),
			"ct":   data.EncodeBase64URL(key.ct),
		})
	}
	entryKey, nonce := cipher(s.Key, s.Salt, ctx)
	sealed := keys.Encrypt(entryKey, nonce, ctx, messages.Pad(data.Canonical(file)))
	return data.Object{
		"id":     data.EncodeBase64URL(s.ID),
		"keys":   entries,
		"sealed": data.EncodeBase64URL(slices.Concat(s.Salt, sealed)),
	}, nil
}

// wrapped is K for one reader.
type wrapped struct{ hint, enc, ct []byte }

// entry of which the form is right.
type entry struct {
	id     []byte
	idText string
	keys   []wrapped
	sealed []byte
	// public is nil where the entry is sealed.
	public data.Object
}

func readEntry(value any) (entry, error) {
	m := data.MembersOf(value, problem.ManifestMalformed)
	e := entry{id: m.Bytes("id", idBytes, idBytes), idText: m.Text("id", 0, data.Unbounded)}
	if m.Has("public") {
		e.public = m.Members("public").Object
		m.Require(!m.Has("keys") && !m.Has("sealed"))
		return e, m.Err
	}
	e.sealed = m.Bytes("sealed", minSealedBytes, maxSealedBytes)
	for _, item := range m.List("keys", 1, maxReaders) {
		key := data.MembersOf(item, problem.ManifestMalformed)
		e.keys = append(e.keys, wrapped{
			key.Bytes("hint", hintBytes, hintBytes),
			key.Bytes("enc", encBytes, encBytes),
			key.Bytes("ct", ctBytes, ctBytes),
		})
		m.Check(key.Err)
	}
	return e, m.Err
}

// open yields the file of an entry; isReader is false where no key of it opens.
func (e entry) open(seed []byte, owner, reader identity.Primary) (file data.Object, isReader bool, err error) {
	if e.public != nil {
		return e.public, true, nil
	}
	hint, err := Hint(seed, owner, reader, e.id)
	if err != nil {
		return nil, false, err
	}
	ctx := context(owner, e.id)
	for _, key := range e.keys {
		if !bytes.Equal(key.hint, hint) {
			continue
		}
		opened, err := keys.Open(seed, key.enc, keyLabel, slices.Concat(ctx, reader.Key), key.ct)
		if err == nil {
			file, err := e.unseal(opened, ctx)
			return file, true, err
		}
	}
	return nil, false, nil
}

func (e entry) unseal(key, ctx []byte) (data.Object, error) {
	entryKey, nonce := cipher(key, e.sealed[:saltBytes], ctx)
	padded, err := keys.Decrypt(entryKey, nonce, ctx, e.sealed[saltBytes:])
	if err != nil {
		return nil, problem.ManifestMalformed
	}
	text, err := messages.Unpad(padded)
	if err != nil {
		return nil, err
	}
	value, err := data.ParseJSON(text, maxFileBytes)
	if err != nil {
		return nil, err
	}
	m := data.MembersOf(value, problem.ManifestMalformed)
	return m.Object, m.Err
}

// nameOf checks the file of an entry and yields its name.
func nameOf(file data.Object, owner identity.Primary) (string, error) {
	m := data.MembersOf(file, problem.ManifestMalformed)
	name := files.Name(m, "name")
	if m.Has("folder") {
		parts := strings.Split(m.Text("folder", 1, maxFolder), "/")
		for _, part := range parts {
			m.Require(files.IsPathPart(part))
		}
		m.Require(len(parts) <= maxParts)
	}
	files.ReadFile(m)
	m.Time("shared_at")
	m.Bytes("content_key", keyBytes, keyBytes)
	if m.Has("thumbnail") {
		m.Bytes("thumbnail", 0, maxThumbnail)
	}
	files.CheckTicket(m, owner)
	return name, m.Err
}
