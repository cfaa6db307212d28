package identity

import (
	"encoding/base32"
	"encoding/binary"
	"regexp"

	"kez-shim/keys"
	"kez-shim/problem"
)

// userPrefix is that of a user's nkey; base32 begins with U.
const userPrefix = 20 << 3

var (
	nkeyForm     = regexp.MustCompile(`^[A-Z2-7]{56}$`)
	nkeyEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)
)

// crc16 is CRC-16/XMODEM.
func crc16(bytes []byte) uint16 {
	var crc uint16
	for _, b := range bytes {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// Nkey writes a key as NATS does.
func Nkey(key []byte) string {
	bytes := append([]byte{userPrefix}, key...)
	return nkeyEncoding.EncodeToString(binary.LittleEndian.AppendUint16(bytes, crc16(bytes)))
}

// ParseNkey reads the nkey of a user (KEZ-NAT-004).
func ParseNkey(text string) ([]byte, error) {
	if !nkeyForm.MatchString(text) {
		return nil, problem.KeyMalformed
	}
	bytes, err := nkeyEncoding.DecodeString(text)
	if err != nil || Nkey(bytes[1:33]) != text {
		return nil, problem.KeyMalformed
	}
	if _, err := keys.Admit(bytes[1:33]); err != nil {
		return nil, err
	}
	return bytes[1:33], nil
}
