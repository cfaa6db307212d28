package statements

import (
	"bytes"
	"strings"

	"kez-shim/data"
	"kez-shim/problem"
)

const (
	compactPrefix  = "kez:z1:"
	bundlePrefix   = "kez:zc1:"
	maxBundleBytes = 4_194_304
	fenceOpen      = "```kez"
	fenceClose     = "```"
	primaryPrefix  = "Primary:"
)

// DecodeProof reads the envelope in a text: plain JSON, the compact form or the Markdown form.
func DecodeProof(text string) (*Envelope, error) {
	trimmed := strings.TrimFunc(text, data.IsSpace)
	if isPlain(trimmed) {
		return decodePlain(trimmed)
	}
	return decodeMarkdown(text)
}

func isPlain(trimmed string) bool {
	return strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, compactPrefix)
}

func decodePlain(trimmed string) (*Envelope, error) {
	if strings.HasPrefix(trimmed, "{") {
		return Parse([]byte(trimmed), MaxEnvelopeBytes)
	}
	text, err := unpack(trimmed, compactPrefix, MaxEnvelopeBytes)
	if err != nil {
		return nil, err
	}
	return Parse(text, MaxEnvelopeBytes)
}

// unpack reads a prefix and one zstd frame in base64url.
func unpack(text, prefix string, maxBytes int) ([]byte, error) {
	encoded, hasPrefix := strings.CutPrefix(strings.TrimFunc(text, data.IsSpace), prefix)
	if !hasPrefix {
		return nil, problem.EncodingMalformed
	}
	frame, err := data.DecodeBase64URL(encoded)
	if err != nil {
		return nil, err
	}
	return decompress(frame, maxBytes)
}

// decodeMarkdown reads the first fence marked kez, whose signer a line before it may name.
func decodeMarkdown(text string) (*Envelope, error) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	open := find(lines, 0, func(line string) bool { return line == fenceOpen })
	closed := find(lines, open+1, func(line string) bool { return line == fenceClose })
	if open == len(lines) || closed == len(lines) {
		return nil, problem.EncodingMalformed
	}
	content := strings.TrimFunc(strings.Join(lines[open+1:closed], "\n"), data.IsSpace)
	if !isPlain(content) {
		return nil, problem.EncodingMalformed
	}
	envelope, err := decodePlain(content)
	if err != nil {
		return nil, err
	}
	named := find(lines[:open], 0, func(line string) bool { return strings.HasPrefix(line, primaryPrefix) })
	if named < open && strings.TrimFunc(strings.TrimPrefix(lines[named], primaryPrefix), data.IsSpace) != envelope.Signer.Text {
		return nil, problem.EnvelopeKind
	}
	return envelope, nil
}

// find is the index of the first line that fits, or the number of lines.
func find(lines []string, from int, fits func(string) bool) int {
	for ; from < len(lines); from++ {
		if fits(lines[from]) {
			return from
		}
	}
	return len(lines)
}

// DecodeTXT joins the strings of a TXT record.
func DecodeTXT(segments []string) (*Envelope, error) {
	text, err := unpack(strings.Join(segments, ""), compactPrefix, MaxEnvelopeBytes)
	if err != nil {
		return nil, err
	}
	return Parse(text, MaxEnvelopeBytes)
}

// DecodeBundle reads the envelopes of a chain bundle. That they form a chain is not asked.
func DecodeBundle(text string) ([]*Envelope, error) {
	lines, err := unpack(text, bundlePrefix, maxBundleBytes)
	if err != nil {
		return nil, err
	}
	envelopes := []*Envelope{}
	for line := range bytes.SplitSeq(lines, []byte("\n")) {
		if len(bytes.TrimFunc(line, data.IsSpace)) == 0 {
			continue
		}
		envelope, err := Parse(line, MaxEnvelopeBytes)
		if err != nil {
			return nil, err
		}
		envelopes = append(envelopes, envelope)
	}
	return envelopes, nil
}
