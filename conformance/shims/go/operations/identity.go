package operations

import (
	"encoding/hex"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/keys"
)

func toHex(bytes []byte) any    { return hex.EncodeToString(bytes) }
func toBase64(bytes []byte) any { return data.EncodeBase64URL(bytes) }

var identityOperations = map[string]Operation{
	"hex.decode": func(args Arguments) (any, error) {
		bytes, err := data.DecodeHex(args.text("text"))
		return result(bytes, err, toBase64)
	},
	"base64url.decode": func(args Arguments) (any, error) {
		bytes, err := data.DecodeBase64URL(args.text("text"))
		return result(bytes, err, toHex)
	},
	"time.parse": func(args Arguments) (any, error) { return data.ParseTime(args.text("time")) },
	"json.parse": func(args Arguments) (any, error) {
		maxBytes := 4096
		if args["max_bytes"] != nil {
			maxBytes = int(args.integer("max_bytes"))
		}
		value, err := data.ParseJSON(args.base64("json"), maxBytes)
		return result(value, err, func(value any) any { return string(data.Canonical(value)) })
	},
	"primary.parse": func(args Arguments) (any, error) {
		primary, err := identity.ParsePrimary(args.text("primary"))
		return result(primary, err, func(primary identity.Primary) any {
			if primary.System == identity.Nostr {
				return map[string]any{"system": primary.System, "x": primary.Hex()}
			}
			return map[string]any{
				"system":  primary.System,
				"ed25519": primary.Hex(),
				"x25519":  toHex(must(keys.AgreementKey(primary.Key))),
				"nkey":    identity.Nkey(primary.Key),
			}
		})
	},
	"nkey.parse": func(args Arguments) (any, error) {
		key, err := identity.ParseNkey(args.text("nkey"))
		return result(key, err, toHex)
	},
	"signature.verify": func(args Arguments) (any, error) {
		return true, keys.Verify(args.hex("public_key"), args.hex("message"), args.hex("signature"))
	},
	"x25519.agree": func(args Arguments) (any, error) {
		secret, err := keys.AgreeAccounts(args.hex("seed"), args.primary("peer").Key)
		return result(secret, err, toHex)
	},
	"x25519.agreeWithEphemeral": func(args Arguments) (any, error) {
		secret, err := keys.Agree(keys.AgreementPrivate(args.hex("seed")), args.hex("public_key"))
		return result(secret, err, toHex)
	},
	"mnemonic.toSeed": func(args Arguments) (any, error) {
		seed, err := identity.SeedOf(args.text("words"))
		return result(seed, err, func(seed []byte) any {
			return map[string]any{"seed": toHex(seed), "public_key": toHex(keys.PublicKey(seed))}
		})
	},
	"handle.parse": func(args Arguments) (any, error) {
		handle, err := identity.ParseHandle(args.text("handle"))
		return result(handle, err, func(handle identity.Handle) any {
			return map[string]any{"local": handle.Local, "server": handle.Server}
		})
	},
	"handle.parseMention": func(args Arguments) (any, error) {
		handle, err := identity.ParseMention(args.text("text"), args.text("server"))
		return result(handle, err, func(handle identity.Handle) any { return handle.String() })
	},
	"identifier.parse": func(args Arguments) (any, error) { return identity.ParseIdentifier(args.text("identifier")) },
	"safetyNumber.of": func(args Arguments) (any, error) {
		number := identity.SafetyNumberOf(args.primary("a"), args.primary("b"))
		return map[string]any{"digest": toHex(number.Digest), "number": number.Number, "qr": number.QR}, nil
	},
	"safetyNumber.parseQr": func(args Arguments) (any, error) {
		digest, err := identity.ParseQR(args.text("qr"))
		return result(digest, err, toHex)
	},
}
