package operations

import (
	"time"

	"kez-shim/data"
	"kez-shim/statements"
)

func hashOf(envelope *statements.Envelope) any { return envelope.Hash() }

var statementOperations = map[string]Operation{
	"envelope.verify": func(args Arguments) (any, error) {
		envelope, err := statements.Parse(args.base64("json"), statements.MaxEnvelopeBytes)
		if err != nil {
			return nil, err
		}
		return result(envelope, envelope.Verify(), func(envelope *statements.Envelope) any {
			return map[string]any{
				"kind":   envelope.Kind,
				"signer": envelope.Signer.Text,
				"signed": toBase64(data.Canonical(envelope.Payload)),
				"hash":   envelope.Hash(),
			}
		})
	},
	"envelope.sign": func(args Arguments) (any, error) {
		return statements.SignChecked(args.text("kez"), data.Object(args.object("payload")), args.hex("seed"))
	},
	"claim.parse": func(args Arguments) (any, error) {
		envelope, err := statements.FromValue(args["envelope"])
		if err != nil {
			return nil, err
		}
		claim, err := statements.ReadClaim(envelope)
		return result(claim, err, func(claim statements.ClaimOf) any {
			said := map[string]any{"subject": claim.Subject, "primary": claim.Primary, "created_at": claim.CreatedAt}
			if claim.ExpiresAt != nil {
				said["expires_at"] = *claim.ExpiresAt
			}
			return said
		})
	},
	"encoding.decode": func(args Arguments) (any, error) {
		envelope, err := statements.DecodeProof(args.text("text"))
		return result(envelope, err, hashOf)
	},
	"encoding.decodeTxt": func(args Arguments) (any, error) {
		envelope, err := statements.DecodeTXT(args.texts("segments"))
		return result(envelope, err, hashOf)
	},
	"encoding.decodeBundle": func(args Arguments) (any, error) {
		envelopes, err := statements.DecodeBundle(args.text("text"))
		return result(envelopes, err, func(envelopes []*statements.Envelope) any {
			hashes := []string{}
			for _, envelope := range envelopes {
				hashes = append(hashes, envelope.Hash())
			}
			return hashes
		})
	},
	"sigchain.verify": func(args Arguments) (any, error) {
		chain, err := statements.VerifyChain(args.text("primary"), args.list("events"))
		return result(chain, err, chainState)
	},
	"sigchain.compare": func(args Arguments) (any, error) {
		var kept *statements.Head
		if args["known"] != nil {
			known := args.object("known")
			kept = &statements.Head{Seq: known.integer("seq"), Hash: known.text("hash")}
		}
		return statements.CompareHeads(kept, args.texts("hashes"))
	},
	"registration.check": func(args Arguments) (any, error) {
		now := must(time.Parse(time.RFC3339, args.text("now")))
		registered, err := statements.CheckRegistration(args["body"], args.text("server"), now)
		return result(registered, err, func(registered statements.Registered) any {
			return map[string]any{
				"handle":     registered.Handle.Local,
				"server":     registered.Handle.Server,
				"primary":    registered.Primary.Text,
				"created_at": registered.CreatedAt.UnixMilli(),
			}
		})
	},
	"transfer.check": func(args Arguments) (any, error) {
		now := must(time.Parse(time.RFC3339, args.text("now")))
		transferred, err := statements.CheckTransfer(args["body"], args.text("server"), now)
		return result(transferred, err, func(transferred statements.Transferred) any {
			return map[string]any{
				"handle": transferred.Handle.Local,
				"server": transferred.Handle.Server,
				"old":    transferred.Old.Text,
				"new":    transferred.New.Text,
				"rotate": transferred.Rotate,
			}
		})
	},
	"record.verify": func(args Arguments) (any, error) {
		asked := args.object("asked")
		registered, err := statements.VerifyRecord(args["record"], statements.Asked{
			Server:  asked.text("server"),
			Handle:  asked.optional("handle"),
			Primary: asked.optional("primary"),
		})
		return result(registered, err, func(registered statements.Registered) any {
			return map[string]any{"handle": registered.Handle.String(), "primary": registered.Primary.Text}
		})
	},
	"wellKnown.parse": func(args Arguments) (any, error) { return statements.ReadDescription(args["json"]) },
	"namedHost.check": func(args Arguments) (any, error) {
		class, err := statements.CheckNamedHost(args.text("home"), args.text("host"))
		return result(class, err, func(class string) any {
			if class == "" {
				return nil
			}
			return class
		})
	},
}

func chainState(chain *statements.Chain) any {
	claims := []any{}
	for _, claim := range chain.Claims {
		claims = append(claims, map[string]any{"subject": claim.Subject, "seq": claim.Seq, "revoked": claim.Revoked})
	}
	state := map[string]any{
		"head":      map[string]any{"seq": chain.Head.Seq, "hash": chain.Head.Hash},
		"endpoints": chain.Endpoints,
		"claims":    claims,
		"ignored":   chain.Ignored,
	}
	if chain.SharedFiles != nil {
		state["shared_files"] = chain.SharedFiles
	}
	if chain.RotatedTo != "" {
		state["rotated_to"] = chain.RotatedTo
	}
	return state
}
