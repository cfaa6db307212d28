package statements

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"

	"kez-shim/problem"
)

const (
	zstdMagic = 0xfd2fb528
	// A window of 8 MiB, which covers every limit.
	window     = 13 << 3
	runLength  = 1
	lastBlock  = 1
	headerSize = 3
)

// decompress reads exactly one zstd frame without dictionary, whatever window it declares.
func decompress(frame []byte, maxBytes int) ([]byte, error) {
	blocks, size, err := blocksOf(frame)
	if err != nil {
		return nil, err
	}
	// The same blocks behind a header that declares a small window, no size and no checksum.
	header := append(binary.LittleEndian.AppendUint32(nil, zstdMagic), 0, window)
	decoder, err := zstd.NewReader(
		io.MultiReader(bytes.NewReader(header), bytes.NewReader(blocks)),
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
	)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	output, err := io.ReadAll(io.LimitReader(decoder, int64(maxBytes)+1))
	if len(output) > maxBytes {
		return nil, problem.TooLarge
	}
	if err != nil || size != nil && *size != uint64(len(output)) {
		return nil, problem.EncodingMalformed
	}
	return output, nil
}

// blocksOf finds the blocks of a frame (RFC 8878 section 3.1.1), and its content size where it declares one.
func blocksOf(frame []byte) ([]byte, *uint64, error) {
	rest := frame
	take := func(length int) []byte {
		if length > len(rest) {
			rest = nil
			return nil
		}
		taken := rest[:length]
		rest = rest[length:]
		return taken
	}
	head := take(5)
	if head == nil || binary.LittleEndian.Uint32(head) != zstdMagic {
		return nil, nil, problem.EncodingMalformed
	}
	descriptor := head[4]
	isSingleSegment := descriptor>>5&1 == 1
	hasChecksum := descriptor>>2&1 == 1
	hasReserved, hasDictionary := descriptor>>3&1 == 1, descriptor&3 != 0
	if hasReserved || hasDictionary || !isSingleSegment && take(1) == nil {
		return nil, nil, problem.EncodingMalformed
	}
	size, err := contentSize(descriptor>>6, isSingleSegment, take)
	if err != nil {
		return nil, nil, err
	}
	blocks := rest
	for isLast := false; !isLast; {
		header := take(headerSize)
		if header == nil {
			return nil, nil, problem.EncodingMalformed
		}
		value := int(header[0]) | int(header[1])<<8 | int(header[2])<<16
		isLast = value&lastBlock == 1
		length := value >> 3
		if kind := value >> 1 & 3; kind == runLength {
			length = 1
		}
		if length > 0 && take(length) == nil {
			return nil, nil, problem.EncodingMalformed
		}
	}
	blocks = blocks[:len(blocks)-len(rest)]
	if hasChecksum && take(4) == nil || len(rest) > 0 {
		return nil, nil, problem.EncodingMalformed
	}
	return blocks, size, nil
}

func contentSize(flag byte, isSingleSegment bool, take func(int) []byte) (*uint64, error) {
	length := 1 << flag
	if flag == 0 && !isSingleSegment {
		return nil, nil
	}
	bytes := take(length)
	if bytes == nil {
		return nil, problem.EncodingMalformed
	}
	var size uint64
	for i, b := range bytes {
		size |= uint64(b) << (8 * i)
	}
	if length == 2 {
		size += 256
	}
	return &size, nil
}
