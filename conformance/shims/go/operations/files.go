package operations

import (
	"encoding/hex"
	"strconv"

	"lukechampine.com/blake3"

	"kez-shim/data"
	"kez-shim/files"
	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/manifests"
)

// Longer bytes are shown by their hash.
const shownBytes = 700

// Longer blobs are left out of the answer.
const shownBlobBytes = 200

// pattern is the file of the vectors.
func pattern(size int64) []byte {
	bytes := make([]byte, size)
	for i := range bytes {
		bytes[i] = byte(i % 251)
	}
	return bytes
}

func shown(bytes []byte) any {
	if len(bytes) <= shownBytes {
		return map[string]any{"length": len(bytes), "hex": toHex(bytes)}
	}
	digest := blake3.Sum256(bytes)
	return map[string]any{"length": len(bytes), "blake3": toHex(digest[:])}
}

// ranges have boundaries as text where they are beyond 2^53.
func (args Arguments) ranges() files.Ranges {
	ranges := files.Ranges{}
	for _, item := range args.list("ranges") {
		if text, isText := item.(string); isText {
			ranges = append(ranges, must(strconv.ParseUint(text, 10, 64)))
		} else {
			ranges = append(ranges, uint64(item.(int64)))
		}
	}
	return ranges
}

// blobs of the pattern, which many cases ask for.
var blobs = map[int64]*files.Blob{}

func blobOf(size int64) *files.Blob {
	if blobs[size] == nil {
		blobs[size] = files.NewBlob(pattern(size))
	}
	return blobs[size]
}

var fileOperations = map[string]Operation{
	"blob.tree": func(args Arguments) (any, error) {
		blob := blobOf(args.integer("size"))
		root := blob.Hash()
		return map[string]any{"hash": toHex(root[:]), "outboard": shown(blob.Outboard())}, nil
	},
	"blob.answer": func(args Arguments) (any, error) {
		return shown(blobOf(args.integer("size")).Answer(args.ranges())), nil
	},
	"blob.read": func(args Arguments) (any, error) {
		size := uint64(args.integer("size"))
		leaves, err := files.ReadAnswer(args.hex("answer"), args.hex("hash"), size, args.ranges())
		return result(leaves, err, func(leaves []files.Leaf) any {
			read := []any{}
			for _, leaf := range leaves {
				read = append(read, map[string]any{"offset": leaf.Offset, "bytes": toHex(leaf.Bytes)})
			}
			return read
		})
	},
	"blob.request": func(args Arguments) (any, error) {
		return toHex(files.Request(args.hex("hash"), args.ranges())), nil
	},
	"blob.asked": func(args Arguments) (any, error) {
		kind, listed, err := files.ReadRequest(args.hex("request"))
		return result(kind, err, func(kind string) any {
			if kind != "get" {
				return map[string]any{"kind": kind}
			}
			return map[string]any{"kind": kind, "listed": listed}
		})
	},
	"file.encrypt": func(args Arguments) (any, error) {
		blob := files.Encrypt(args.hex("key"), pattern(args.integer("size")))
		digest := blake3.Sum256(blob)
		made := map[string]any{"length": len(blob), "hash": "blake3:" + hex.EncodeToString(digest[:])}
		if len(blob) <= shownBlobBytes {
			made["blob"] = toHex(blob)
		}
		return made, nil
	},
	"file.decrypt": func(args Arguments) (any, error) {
		file, err := files.Decrypt(args.hex("key"), int(args.integer("size")), args.hex("blob"))
		return result(file, err, toHex)
	},
	"fileKey.wrap": func(args Arguments) (any, error) {
		wrapped, err := files.WrapKey(
			args.hex("key"), args.hex("blob_hash"), args.hex("ephemeral"), args.primary("owner"), args.primary("reader"),
		)
		return result(wrapped, err, toBase64)
	},
	"fileKey.unwrap": func(args Arguments) (any, error) {
		key, err := files.UnwrapKey(args.hex("seed"), args.base64("wrapped"), args.hex("blob_hash"), args.primary("owner"))
		return result(key, err, toHex)
	},
	"ticket.decode": func(args Arguments) (any, error) {
		ticket, err := files.ParseTicket(args.text("ticket"))
		return result(ticket, err, ticketOf)
	},
	"ticket.shared": func(args Arguments) (any, error) {
		ticket, err := files.CheckShared(args.text("ticket"), args.primary("owner"), args.text("blob_hash"))
		return result(ticket, err, func(ticket *files.Ticket) any { return toHex(ticket.Endpoint) })
	},
	"manifest.hint": func(args Arguments) (any, error) {
		seed := args.hex("seed")
		hint, err := manifests.Hint(seed, identity.PrimaryOf(keys.PublicKey(seed)), args.primary("reader"), args.base64("id"))
		return result(hint, err, toBase64)
	},
	"manifest.seal": func(args Arguments) (any, error) {
		sealing := manifests.Sealing{
			Seed: args.hex("seed"),
			ID:   args.base64("id"),
			Key:  args.hex("key"),
			Salt: args.hex("salt"),
		}
		for _, reader := range args.texts("readers") {
			sealing.Readers = append(sealing.Readers, must(identity.ParseAccount(reader)))
		}
		for _, ephemeral := range args.texts("ephemerals") {
			sealing.Ephemerals = append(sealing.Ephemerals, must(hex.DecodeString(ephemeral)))
		}
		return manifests.Seal(sealing, data.Object(args.object("file")))
	},
	"manifest.read": func(args Arguments) (any, error) {
		manifest, err := manifests.Read(readingOf(args))
		return result(manifest, err, manifestOf)
	},
}

func ticketOf(ticket *files.Ticket) any {
	addresses := []string{}
	for _, address := range ticket.Addresses {
		addresses = append(addresses, address.String())
	}
	decoded := map[string]any{
		"endpoint":  toHex(ticket.Endpoint),
		"hash":      toHex(ticket.Hash),
		"format":    "raw",
		"relay":     nil,
		"addresses": addresses,
	}
	if ticket.IsSequence {
		decoded["format"] = "hashSeq"
	}
	if ticket.Relay != "" {
		decoded["relay"] = ticket.Relay
	}
	return decoded
}

func readingOf(args Arguments) manifests.Reading {
	reading := manifests.Reading{Seed: args.hex("seed"), Owner: args.primary("owner"), Body: args.base64("body")}
	if args["anchor"] != nil {
		anchor := args.object("anchor")
		reading.Anchor = &manifests.Anchor{Hash: anchor.text("manifest"), Size: anchor.integer("size")}
		if anchor["revision"] != nil {
			revision := anchor.integer("revision")
			reading.Anchor.Revision = &revision
		}
	}
	if args["known"] != nil {
		known := args.object("known")
		reading.Known = &manifests.Known{Revision: known.integer("revision"), Hash: known.text("hash")}
	}
	return reading
}

func manifestOf(manifest *manifests.Manifest) any {
	seen, broken := []any{}, []any{}
	for _, file := range manifest.Files {
		seen = append(seen, map[string]any{"id": file.ID, "name": file.Name, "public": file.IsPublic})
	}
	for _, entry := range manifest.Broken {
		broken = append(broken, map[string]any{"id": entry.ID, "code": entry.Code})
	}
	return map[string]any{"revision": manifest.Revision, "files": seen, "broken": broken}
}
