package files

import (
	"encoding/binary"
	"slices"

	"kez-shim/identity"
	"kez-shim/keys"
	"kez-shim/problem"
)

const (
	plainBytes = 65_536
	tagBytes   = 16
	wrapLabel  = "kez.file.key/1"
	encBytes   = 32
)

// nonce counts chunks and marks the last one.
func nonce(index uint64, isLast bool) []byte {
	nonce := binary.BigEndian.AppendUint64(make([]byte, 3), index)
	if isLast {
		return append(nonce, 1)
	}
	return append(nonce, 0)
}

func sealedChunks(size int) int { return max(1, (size+plainBytes-1)/plainBytes) }

// Encrypt makes the blob of a file.
func Encrypt(key, file []byte) []byte {
	var blob []byte
	count := sealedChunks(len(file))
	for i := range count {
		chunk := file[i*plainBytes : min((i+1)*plainBytes, len(file))]
		blob = append(blob, keys.Encrypt(key, nonce(uint64(i), i == count-1), nil, chunk)...)
	}
	return blob
}

// Decrypt opens the blob of a file of a size.
func Decrypt(key []byte, size int, blob []byte) ([]byte, error) {
	count := sealedChunks(size)
	if len(blob) != size+count*tagBytes {
		return nil, problem.FileUndecryptable
	}
	var file []byte
	for i := range count {
		sealed := blob[i*(plainBytes+tagBytes) : min((i+1)*(plainBytes+tagBytes), len(blob))]
		chunk, err := keys.Decrypt(key, nonce(uint64(i), i == count-1), nil, sealed)
		if err != nil {
			return nil, problem.FileUndecryptable
		}
		file = append(file, chunk...)
	}
	return file, nil
}

func wrapAAD(blobHash []byte, owner, reader identity.Primary) []byte {
	return slices.Concat(blobHash, owner.Key, reader.Key)
}

// WrapKey wraps a content key for a reader.
func WrapKey(key, blobHash, ephemeral []byte, owner, reader identity.Primary) ([]byte, error) {
	sealed, err := keys.Seal(reader.Key, ephemeral, wrapLabel, wrapAAD(blobHash, owner, reader), key)
	if err != nil {
		return nil, err
	}
	return slices.Concat(sealed.Enc, sealed.Ciphertext), nil
}

// UnwrapKey opens a content key with the reader's seed.
func UnwrapKey(seed, wrapped, blobHash []byte, owner identity.Primary) ([]byte, error) {
	if len(wrapped) != wrappedBytes {
		return nil, problem.ContentKeyInvalid
	}
	reader := identity.PrimaryOf(keys.PublicKey(seed))
	key, err := keys.Open(seed, wrapped[:encBytes], wrapLabel, wrapAAD(blobHash, owner, reader), wrapped[encBytes:])
	if err != nil {
		return nil, problem.ContentKeyInvalid
	}
	return key, nil
}
