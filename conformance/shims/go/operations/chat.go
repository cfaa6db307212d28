package operations

import (
	"crypto/sha256"
	"time"

	"kez-shim/broker"
	"kez-shim/data"
	"kez-shim/keys"
	"kez-shim/messages"
	"kez-shim/statements"
)

var brokerOperations = map[string]Operation{
	"login.host": func(args Arguments) (any, error) { return broker.Host(args.text("url")) },
	"login.sign": func(args Arguments) (any, error) {
		bytes, signature, err := broker.Login(args.hex("seed"), args.text("host"), args.text("nonce"))
		return result(bytes, err, func(bytes []byte) any {
			return map[string]any{"bytes": toBase64(bytes), "signature": toBase64(signature)}
		})
	},
	"fetch.parse": func(args Arguments) (any, error) { return broker.ReadFetch(args.base64("request")) },
	"trim.parse":  func(args Arguments) (any, error) { return broker.ReadTrim(args.base64("request")) },
	"block.parse": func(args Arguments) (any, error) { return broker.ReadBlock(args.base64("request")) },
	"acceptance.verify": func(args Arguments) (any, error) {
		named, err := statements.VerifyAcceptance(
			args.text("server"), args.primary("key"), args.primary("recipient"),
			args.base64("frame"), args.text("at"), args.base64("sig"),
		)
		return result(named, err, func(named data.Object) any { return named })
	},
	"subjects.of": func(args Arguments) (any, error) { return broker.Subjects(args.primary("primary").Hex()), nil },
	"page.decode": func(args Arguments) (any, error) {
		page, err := broker.DecodePage(args.base64("page"), args.hex("account"), args.base64("n"))
		return result(page, err, func(page broker.Page) any {
			frames := []any{}
			for _, frame := range page.Frames {
				frames = append(frames, map[string]any{
					"seq":     frame.Seq,
					"time_ms": frame.TimeMillis,
					"frame":   toBase64(frame.Bytes),
				})
			}
			return map[string]any{
				"epoch":    toBase64(page.Epoch),
				"last_seq": page.LastSeq,
				"pending":  page.Pending,
				"frames":   frames,
			}
		})
	},
	"positions.trace": func(args Arguments) (any, error) {
		positions := broker.NewPositions()
		trace := []any{}
		for _, item := range args.list("steps") {
			step := Arguments(item.(map[string]any))
			action := ""
			if step["live"] != nil {
				live := step.object("live")
				action = positions.Live(live.text("subject"), live.integer("seq"), live.integer("last_seq_of_subject"))
			} else {
				page := step.object("page")
				seqs := []int64{}
				for _, seq := range page.list("seqs") {
					seqs = append(seqs, seq.(int64))
				}
				action = positions.Page(page.text("epoch"), page.integer("after"), page.integer("last_seq"), seqs)
			}
			trace = append(trace, map[string]any{
				"action":      action,
				"positions":   map[string]any{"inbox": positions.At[broker.Inbox], "self": positions.At[broker.Self]},
				"fetch_after": positions.FetchAfter(),
			})
		}
		return trace, nil
	},
}

var messageOperations = map[string]Operation{
	"padding.length": func(args Arguments) (any, error) { return messages.PaddedLength(int(args.integer("n"))), nil },
	"padding.unpad": func(args Arguments) (any, error) {
		body, err := messages.Unpad(args.hex("plaintext"))
		return result(body, err, toHex)
	},
	"message.encrypt": func(args Arguments) (any, error) {
		encrypted, err := messages.Encrypt(args.hex("seed"), args.primary("to"), messages.Header{
			ID:        args.text("id"),
			Device:    args.text("device"),
			Seq:       args.integer("seq"),
			Prev:      args.optional("prev"),
			CreatedAt: args.text("created_at"),
			Salt:      args.text("salt"),
		}, args.base64("body"))
		return result(encrypted, err, encryption)
	},
	"message.seal": func(args Arguments) (any, error) {
		reader := args.primary("reader")
		sealed, err := messages.Seal(reader, args.hex("ephemeral"), args.base64("envelope"))
		return result(sealed, err, func(sealed *keys.Sealed) any {
			return map[string]any{
				"enc":           toHex(sealed.Enc),
				"dh":            toHex(sealed.DH),
				"shared_secret": toHex(sealed.SharedSecret),
				"key":           toHex(sealed.Key),
				"nonce":         toHex(sealed.Nonce),
				"aad":           toHex(messages.SealAAD(reader.Key)),
				"frame":         toBase64(messages.Frame(sealed)),
			}
		})
	},
	"message.open": func(args Arguments) (any, error) {
		opened, err := messages.Open(args.hex("seed"), args.base64("frame"))
		return result(opened, err, func(opened *messages.Opened) any {
			return map[string]any{
				"role":   opened.Role,
				"peer":   opened.Peer.Text,
				"from":   opened.From.Text,
				"to":     opened.To.Text,
				"id":     opened.ID,
				"device": opened.Device,
				"seq":    opened.Seq,
				"hash":   opened.Hash,
				"body":   opened.Body,
			}
		})
	},
	"contact.trace": contactTrace,
	"address.life": func(args Arguments) (any, error) {
		span := timeOf(args.text("expires_at")).Sub(timeOf(args.text("created_at")))
		return messages.AddressLife(int64(span.Seconds()), args.integer("stored"), args.integer("asked")), nil
	},
}

// The vectors leave out what would be long.
const shownPlaintextBytes = 1024

func encryption(e *messages.Encrypted) any {
	plaintextHash, ciphertextHash := sha256.Sum256(e.Plaintext), sha256.Sum256(e.Ciphertext)
	values := map[string]any{
		"shared_secret":     toHex(e.SharedSecret),
		"info":              toHex([]byte(e.Info)),
		"okm":               toHex(e.OKM),
		"key":               toHex(e.OKM[:32]),
		"nonce":             toHex(e.OKM[32:]),
		"aad":               toBase64(e.AAD),
		"plaintext_length":  len(e.Plaintext),
		"plaintext_sha256":  toHex(plaintextHash[:]),
		"ciphertext_sha256": toHex(ciphertextHash[:]),
		"envelope_hash":     e.Envelope.Hash(),
	}
	if len(e.Plaintext) <= shownPlaintextBytes {
		values["plaintext"] = toHex(e.Plaintext)
		values["ciphertext"] = toBase64(e.Ciphertext)
		values["envelope"] = data.Object(e.Envelope.Value())
	}
	return values
}

func contactTrace(args Arguments) (any, error) {
	state := args.object("state")
	contact := &messages.Contact{
		Pinned:    state.text("pinned"),
		Relation:  state.text("relation"),
		Name:      state.text("name"),
		Chain:     state.text("chain"),
		Verified:  argument[bool](state, "verified"),
		Names:     state.optional("names"),
		RotatedTo: state.optional("rotated_to"),
	}
	if at := state.optional("noticed_at"); at != "" {
		contact.NoticedAt = timeOf(at)
	}
	trace := []any{}
	for _, item := range args.list("events") {
		notice, refused := contactEvent(contact, Arguments(item.(map[string]any)))
		after := map[string]any{
			"pinned":   contact.Pinned,
			"name":     contact.Name,
			"chain":    contact.Chain,
			"sends":    contact.Sends(),
			"number":   contact.Number(),
			"verified": contact.ShowsVerified(),
		}
		if offered := contact.Offered(); offered.Primary != "" {
			after["offered"] = map[string]any{"primary": offered.Primary, "origin": offered.Origin}
		}
		if notice != "" {
			after["notice"] = notice
		}
		if refused != "" {
			after["refused"] = refused
		}
		trace = append(trace, after)
	}
	return trace, nil
}

func timeOf(text string) time.Time { return time.UnixMilli(must(data.ParseTime(text))) }

func contactEvent(contact *messages.Contact, event Arguments) (notice, refused string) {
	key, at := event.optional("primary"), timeOf(event.text("at"))
	switch kind := event.text("event"); kind {
	case "names":
		if key == contact.Pinned {
			return contact.NameSeen(messages.NamesPinned, "", at), ""
		}
		return contact.NameSeen(messages.NamesOther, key, at), ""
	case "names_nobody":
		return contact.NameSeen(messages.NamesNobody, "", at), ""
	case "extends":
		return contact.ChainSeen(messages.Extends, "", at), ""
	case "falls_behind":
		return contact.ChainSeen(messages.FallsBehind, "", at), ""
	case "rotates":
		return contact.ChainSeen(messages.Rotates, key, at), ""
	case "forks":
		return contact.ChainSeen(messages.Forks, "", at), ""
	case "user_accepts":
		if !contact.Accept(key) {
			return "", "not_offered"
		}
	case "user_confirms":
		if !contact.Confirm(key) {
			return "", "not_accepted"
		}
	case "user_keeps":
		contact.Keep(at)
	default:
		panic("unknown event " + kind)
	}
	return "", ""
}
